// A fiber: a stack of its own on the calling OS thread (Boost.Context's jump, with ASan told about every switch).
#pragma once

#include <cstddef>

namespace orrery::emulation {

class Fiber {
 public:
  Fiber() = default;                // stands for the OS thread's own stack
  explicit Fiber(unsigned colour);  // runs fiber_main(); `colour` staggers the stacks over the cache sets
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void jump_from(Fiber& from);  // runs this fiber until somebody jumps back to `from`
  void restart();               // forgets what was running on it

 private:
  friend struct FiberSwitch;
  void* context_ = nullptr;
  char* bottom_ = nullptr;
  size_t size_ = 0;
  void* fake_stack_ = nullptr;  // ASan's
  unsigned colour_ = 0;
};

[[noreturn]] void fiber_main();  // what every fiber runs (scheduler.cpp)

}  // namespace orrery::emulation
