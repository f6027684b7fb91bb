#include "fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <new>

#include "internal.hpp"

#if ORRERY_EMULATION_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace orrery::emulation {

namespace ctx = boost::context::detail;

namespace {

constexpr size_t kStackBytes = kAsan ? 512 * 1024 : 128 * 1024;

// An inaccessible page below the stack turns an overflow into a fault instead of silent damage.
char* map_stack() {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* p =
      mmap(nullptr, kStackBytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  mprotect(p, page, PROT_NONE);
  return static_cast<char*>(p) + page;
}

}  // namespace

struct FiberSwitch {
  // Just switched to a fiber: keeps what the one that was left needs to be resumed.
  static void arrived(ctx::transfer_t t, void* fake_stack) {
    Fiber* left = static_cast<Fiber*>(t.data);
    left->context_ = t.fctx;
#if ORRERY_EMULATION_ASAN
    const void* bottom = nullptr;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &left->size_);
    left->bottom_ = static_cast<char*>(const_cast<void*>(bottom));
#else
    static_cast<void>(fake_stack);
#endif
  }
  static void enter(ctx::transfer_t t) {
    arrived(t, nullptr);
    fiber_main();
  }
};

Fiber::Fiber(unsigned colour) : bottom_(map_stack()), size_(kStackBytes), colour_(colour) { restart(); }

void Fiber::restart() {
  lift_guard(bottom_, size_);
  fake_stack_ = nullptr;
  const size_t offset = (colour_ * size_t{1088}) % 16384 & ~size_t{63};
  context_ = ctx::make_fcontext(bottom_ + size_ - offset, size_ - offset, &FiberSwitch::enter);
}

void Fiber::jump_from(Fiber& from) {
#if ORRERY_EMULATION_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack_, bottom_, size_);
#endif
  const ctx::transfer_t t = ctx::jump_fcontext(context_, &from);
  FiberSwitch::arrived(t, from.fake_stack_);
}

}  // namespace orrery::emulation
