// Runs a launch: clusters (usually single blocks) one after another in a seeded order, the threads of each as fibers.
//
// A thread runs until it waits at a barrier or a warp collective. Then the next one is chosen among those that have not
// started and those that were released, by a policy drawn from the seed: so every barrier sees another order, and a
// warp may run far ahead of the others. A fiber whose thread returns goes on with the next thread that has not started,
// so a kernel without barriers needs one fiber in all.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "fiber.hpp"
#include "internal.hpp"

namespace orrery::emulation {
namespace {

enum class State : uint8_t { fresh, running, at_block_barrier, at_cluster_barrier, at_warp_op, done };

struct Block;
struct Warp;

struct Thread {
  State state = State::fresh;
  WarpOp op{};
  Barrier barrier{};
  uint8_t lane = 0;
  unsigned mask = 0, source = 0;
  uint3 index{};
  uint64_t value = 0, result = 0;
  Site at{};
  Block* block = nullptr;
  Warp* warp = nullptr;
  Fiber* fiber = nullptr;
};

struct Warp {
  Thread* threads = nullptr;  // lane 0
  unsigned existing = 0;      // lanes that the block has
  unsigned waiting = 0;       // lanes at a collective
};

struct Block {
  uint3 index{};
  unsigned rank = 0;  // in the cluster
  char* shared = nullptr;
  Thread* threads = nullptr;
  unsigned arrived = 0, alive = 0;
  Thread* first = nullptr;    // at the barrier
  int count = 0, result = 0;  // of the reducing barriers
};

// A shared array of the running launch: `bytes` at `offset` of each block's memory, a guard behind it.
struct SharedZone {
  size_t offset, bytes;
  const char* name;
};

constexpr size_t kGuardBytes = 128;
// Dynamic and static arrays at their limits, plus guards and alignment for up to 256 arrays.
constexpr size_t kSharedCapacity = kSharedOptIn + kSharedDefault + 257 * (kGuardBytes + 128);

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

std::string text(uint3 v) {
  return "(" + std::to_string(v.x) + "," + std::to_string(v.y) + "," + std::to_string(v.z) + ")";
}

bool same(Site a, Site b) {
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

class Scheduler {
 public:
  cudaError_t run(const Launch& launch);

  // Called by the running thread.
  int block_barrier(Barrier kind, int predicate, Site at);
  void cluster_barrier(Site at);
  uint64_t warp_collective(WarpOp op, unsigned mask, uint64_t value, unsigned source, Site at);
  unsigned active_mask() const;
  void* dynamic_shared() const { return current_->block->shared + kGuardBytes; }
  void place_shared(SharedSite& site, size_t bytes, size_t alignment);
  unsigned rank() const { return current_->block->rank; }
  unsigned cluster_size() const { return static_cast<unsigned>(blocks_.size()); }
  void* map(const void* p, unsigned rank);
  [[noreturn]] void trap(Site at);
  template <class Words>
  [[noreturn]] void fault(cudaError_t code, Words words);  // words() says what happened
  void fiber_main();
  Thread* current() const { return current_; }

 private:
  void prepare(const Launch& launch);
  bool run_cluster(uint64_t number);
  void start_block(Block& block);
  void finish_thread();
  Thread* next();
  void wait();
  void enter(Thread* t);
  void go(Fiber* to);
  void release_from(size_t first);
  void complete(Warp& warp, unsigned lanes, const Thread& last);
  void new_policy();
  Fiber* idle_fiber();
  bool check_shared(const Block& block);
  std::string stuck() const;
  std::string where(const Thread& t) const;

  const Launch* launch_ = nullptr;
  Random random_{0};

  // The cluster that runs.
  std::vector<Block> blocks_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<std::unique_ptr<char[]>> memory_;  // shared memory per rank
  std::vector<SharedZone> zones_;
  size_t shared_used_ = 0, static_bytes_ = 0;
  unsigned cluster_arrived_ = 0;
  Thread* cluster_first_ = nullptr;

  // Who runs, who may run.
  Thread* current_ = nullptr;
  Thread* starting_ = nullptr;  // handed to the fiber that is entered
  std::vector<uint32_t> order_;
  size_t next_fresh_ = 0;
  std::vector<Thread*> ready_;
  size_t ready_head_ = 0;
  bool fresh_first_ = true;
  enum class Pick : uint8_t { last, first, any } pick_ = Pick::last;

  Fiber main_;
  Fiber* on_ = &main_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;

  cudaError_t error_ = cudaSuccess;
  std::string report_;
  int64_t waits_ = 0;
};

Scheduler& scheduler() {
  static Scheduler* s = new Scheduler;  // never destroyed: fibers may be parked in it at exit
  return *s;
}

// ---- a launch ----

cudaError_t Scheduler::run(const Launch& launch) {
  prepare(launch);
  const dim3 c = launch.cluster;
  const uint64_t nx = launch.grid.x / c.x, ny = launch.grid.y / c.y, nz = launch.grid.z / c.z;
  std::vector<uint32_t> clusters(nx * ny * nz);
  for (size_t i = 0; i < clusters.size(); ++i) clusters[i] = static_cast<uint32_t>(i);
  random_.shuffle(clusters);

  int64_t threads = 0;
  for (const uint32_t number : clusters) {
    threads += static_cast<int64_t>(threads_.size());
    if (!run_cluster(number)) break;
  }

  // Keeps the invariant that unplaced shared memory is poison.
  for (Block& b : blocks_) {
    lift_guard(b.shared, kSharedCapacity);
    std::memset(b.shared, kPoison, shared_used_);
  }
  current_ = nullptr;
  count_launch(static_cast<int64_t>(clusters.size() * blocks_.size()), threads, waits_);
  launch_ = nullptr;
  if (error_ != cudaSuccess) return fail(error_, describe(launch) + ": " + report_);
  return check_device_guards(describe(launch));
}

void Scheduler::prepare(const Launch& launch) {
  launch_ = &launch;
  random_ = Random(next_launch_seed());
  error_ = cudaSuccess;
  waits_ = 0;
  ++launch_number;
  grid_size = launch.grid;
  block_size = launch.block;

  // Geometry: blocks of the cluster, each with its warps and threads.
  const dim3 b = launch.block;
  const unsigned ranks = launch.cluster.x * launch.cluster.y * launch.cluster.z, n = b.x * b.y * b.z,
                 warps = (n + kWarp - 1) / kWarp;
  blocks_.assign(ranks, {});
  warps_.assign(size_t{ranks} * warps, {});
  threads_.assign(size_t{ranks} * n, {});
  order_.resize(threads_.size());
  ready_.clear();
  ready_.reserve(threads_.size());
  for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<uint32_t>(i);
  for (unsigned r = 0; r < ranks; ++r) {
    while (memory_.size() <= r) {
      memory_.push_back(std::make_unique_for_overwrite<char[]>(kSharedCapacity + 128));
      std::memset(memory_.back().get(), kPoison, kSharedCapacity + 128);
    }
    Block& block = blocks_[r];
    block.rank = r;
    block.threads = &threads_[size_t{r} * n];
    block.shared = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(memory_[r].get()), 128));
    for (unsigned t = 0; t < n; ++t) {
      Warp& warp = warps_[size_t{r} * warps + t / kWarp];
      Thread& thread = block.threads[t];
      if (t % kWarp == 0) warp.threads = &thread;
      warp.existing |= 1u << (t % kWarp);
      thread.block = &block;
      thread.warp = &warp;
      thread.lane = static_cast<uint8_t>(t % kWarp);
      thread.index = {t % b.x, t / b.x % b.y, t / (b.x * b.y)};
    }
  }

  // Dynamic shared memory is the first zone; kernels place their static arrays behind it.
  zones_.assign(1, {kGuardBytes, launch.dynamic_shared_bytes, "dynamic shared memory"});
  shared_used_ = round_up(kGuardBytes + launch.dynamic_shared_bytes, 16) + kGuardBytes;
  static_bytes_ = 0;
}

bool Scheduler::run_cluster(uint64_t number) {
  const dim3 c = launch_->cluster, g = launch_->grid;
  const uint64_t nx = g.x / c.x, ny = g.y / c.y;
  const unsigned x0 = static_cast<unsigned>(number % nx) * c.x, y0 = static_cast<unsigned>(number / nx % ny) * c.y,
                 z0 = static_cast<unsigned>(number / (nx * ny)) * c.z;
  for (Block& b : blocks_) {
    b.index = {x0 + b.rank % c.x, y0 + b.rank / c.x % c.y, z0 + b.rank / (c.x * c.y)};
    start_block(b);
  }
  for (Thread& t : threads_) t.state = State::fresh;
  for (Warp& w : warps_) w.waiting = 0;
  cluster_arrived_ = 0;
  ready_.clear();
  ready_head_ = 0;
  random_.shuffle(order_);
  next_fresh_ = 0;
  new_policy();

  // The fibers run until no thread can.
  next();
  go(idle_fiber());

  const bool alive = std::any_of(blocks_.begin(), blocks_.end(), [](const Block& b) { return b.alive > 0; });
  if (error_ == cudaSuccess && alive) error_ = cudaErrorLaunchFailure, report_ = stuck();
  if (error_ != cudaSuccess) {  // abandon what is left on the stacks
    idle_.clear();
    for (auto& f : fibers_) f->restart(), idle_.push_back(f.get());
  }
  return error_ == cudaSuccess;
}

void Scheduler::start_block(Block& b) {
  b.alive = block_size.x * block_size.y * block_size.z;
  b.arrived = 0;
  b.count = 0;
  for (const SharedZone& z : zones_) {
    std::memset(b.shared + z.offset, kPoison, z.bytes);
    const size_t end = z.offset + z.bytes;
    set_guard(b.shared + end, round_up(end, 16) - end + kGuardBytes);
  }
  set_guard(b.shared, kGuardBytes);
}

bool Scheduler::check_shared(const Block& b) {
  auto damaged = [&](size_t at, size_t bytes) {
    return damaged_guard(reinterpret_cast<const unsigned char*>(b.shared) + at, bytes) < bytes;
  };
  if (damaged(0, kGuardBytes)) {
    report_ = "block " + text(b.index) + " wrote before its shared memory";
    return false;
  }
  for (const SharedZone& z : zones_) {
    if (!damaged(z.offset + z.bytes, kGuardBytes)) continue;
    report_ =
        "block " + text(b.index) + " wrote past the end of " + z.name + " (" + std::to_string(z.bytes) + " bytes)";
    return false;
  }
  return true;
}

// ---- choosing who runs ----

void Scheduler::new_policy() {
  const uint64_t bits = random_.bits();
  fresh_first_ = bits & 1;
  pick_ = static_cast<Pick>((bits >> 1) % 3);
}

// Chooses the next thread, or null. One that has not started is left in `starting_`.
Thread* Scheduler::next() {
  const bool have_ready = ready_head_ < ready_.size(), have_fresh = next_fresh_ < order_.size();
  if (have_fresh && (fresh_first_ || !have_ready)) return starting_ = &threads_[order_[next_fresh_++]];
  if (!have_ready) return nullptr;
  Thread* t = nullptr;
  if (pick_ == Pick::first) {
    t = ready_[ready_head_++];
  } else {
    if (pick_ == Pick::any) {
      const size_t i = ready_head_ + random_.below(static_cast<uint32_t>(ready_.size() - ready_head_));
      std::swap(ready_[i], ready_.back());
    }
    t = ready_.back();
    ready_.pop_back();
  }
  if (ready_head_ == ready_.size()) ready_.clear(), ready_head_ = 0;
  return t;
}

inline void Scheduler::enter(Thread* t) {
  t->state = State::running;
  current_ = t;
  thread_index = t->index;
  lane = t->lane;
  block_index = t->block->index;
  shared_base = t->block->shared;
}

Fiber* Scheduler::idle_fiber() {
  if (idle_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(static_cast<unsigned>(fibers_.size())));
    return fibers_.back().get();
  }
  Fiber* f = idle_.back();
  idle_.pop_back();
  return f;
}

// Runs another fiber until somebody comes back to this one.
void Scheduler::go(Fiber* to) {
  Fiber* from = on_;
  on_ = to;
  to->jump_from(*from);
}

// The running thread waits; returns when it has been released and chosen again.
void Scheduler::wait() {
  ++waits_;
  Thread* self = current_;
  Thread* t = next();
  if (t != self) go(t == nullptr ? &main_ : t->state == State::fresh ? idle_fiber() : t->fiber);
  enter(self);
}

// What a fiber does: run threads that have not started, one after another, and park when another fiber's turn comes.
void Scheduler::fiber_main() {
  for (;;) {
    Thread* t = starting_;
    t->fiber = on_;
    enter(t);
    launch_->body();
    finish_thread();
    t = next();
    if (t && t->state == State::fresh) continue;
    idle_.push_back(on_);
    go(t ? t->fiber : &main_);
  }
}

// Gives the launch up. Nothing of this fiber's stack is unwound, so the words are made, and their temporaries gone,
// before it leaves.
template <class Words>
void Scheduler::fault(cudaError_t code, Words words) {
  error_ = code;
  report_ = words();
  go(&main_);
  std::abort();  // nobody comes back
}

void Scheduler::finish_thread() {
  current_->state = State::done;
  Block& b = *current_->block;
  if (--b.alive > 0) return;
  if (!check_shared(b)) fault(cudaErrorIllegalAddress, [&] { return report_; });
  // In a cluster, the shared memory of a block that has returned is gone for the others.
  if (blocks_.size() > 1)
    for (const SharedZone& z : zones_) std::memset(b.shared + z.offset, kPoison, z.bytes);
}

void Scheduler::release_from(size_t first) {
  if (pick_ != Pick::any) random_.shuffle(ready_, first);
}

void Scheduler::trap(Site at) {
  fault(cudaErrorLaunchFailure, [&] { return where(*current_) + " called __trap at " + describe(at); });
}

// ---- barriers ----

int Scheduler::block_barrier(Barrier kind, int predicate, Site at) {
  Thread& self = *current_;
  Block& b = *self.block;
  const unsigned n = block_size.x * block_size.y * block_size.z;
  if (b.arrived == 0) b.first = &self, b.count = 0;
  if (b.first != &self && (b.first->barrier != kind || !same(b.first->at, at)))
    fault(cudaErrorLaunchFailure, [&] {
      return "different barriers: " + where(self) + " is at " + describe(at) + ", but " + where(*b.first) +
             " waits at " + describe(b.first->at);
    });
  self.state = State::at_block_barrier;
  self.barrier = kind;
  self.at = at;
  b.count += predicate != 0;
  if (++b.arrived == n) {
    b.result = kind == Barrier::count ? b.count : kind == Barrier::all ? b.count == static_cast<int>(n) : b.count > 0;
    b.arrived = 0;
    new_policy();
    const size_t first = ready_.size();
    for (unsigned t = 0; t < n; ++t) ready_.push_back(b.threads + t);
    release_from(first);
  }
  wait();
  return b.result;
}

void Scheduler::cluster_barrier(Site at) {
  Thread& self = *current_;
  if (cluster_arrived_ == 0) cluster_first_ = &self;
  if (cluster_first_ != &self && !same(cluster_first_->at, at))
    fault(cudaErrorLaunchFailure, [&] {
      return "different cluster barriers: " + where(self) + " is at " + describe(at) + ", but " +
             where(*cluster_first_) + " waits at " + describe(cluster_first_->at);
    });
  self.state = State::at_cluster_barrier;
  self.at = at;
  if (++cluster_arrived_ == threads_.size()) {
    cluster_arrived_ = 0;
    new_policy();
    const size_t first = ready_.size();
    for (Thread& t : threads_) ready_.push_back(&t);
    release_from(first);
  }
  wait();
}

// ---- warp collectives ----

uint64_t Scheduler::warp_collective(WarpOp op, unsigned mask, uint64_t value, unsigned source, Site at) {
  Thread& self = *current_;
  Warp& warp = *self.warp;
  if (!(mask >> self.lane & 1))
    fault(cudaErrorLaunchFailure, [&] {
      return where(self) + " called a warp function with a mask that leaves itself out, at " + describe(at);
    });
  self.state = State::at_warp_op;
  self.op = op;
  self.mask = mask;
  self.value = value;
  self.source = source;
  self.at = at;
  warp.waiting |= 1u << self.lane;
  const unsigned expected = mask & warp.existing;
  if ((warp.waiting & expected) == expected) complete(warp, expected, self);
  wait();
  return self.result;
}

// All lanes of a collective are here: checks that it is the same one, delivers the results, releases them.
void Scheduler::complete(Warp& warp, unsigned lanes, const Thread& last) {
  for (unsigned rest = lanes; rest; rest &= rest - 1) {
    const Thread& t = warp.threads[std::countr_zero(rest)];
    if (t.mask == last.mask && t.op == last.op && same(t.at, last.at)) continue;
    char masks[64];
    std::snprintf(masks, sizeof masks, " (masks %08x and %08x)", last.mask, t.mask);
    fault(cudaErrorLaunchFailure, [&] {
      return "different warp functions: " + where(last) + " is at " + describe(last.at) + ", but " + where(t) +
             " waits at " + describe(t.at) + masks;
    });
  }

  const Thread* all = warp.threads;
  auto reduce = [&](auto combine) {
    uint64_t r = all[std::countr_zero(lanes)].value;
    for (unsigned rest = lanes & (lanes - 1); rest; rest &= rest - 1) r = combine(r, all[std::countr_zero(rest)].value);
    return r;
  };
  using S = int32_t;
  using U = uint32_t;
  uint64_t common = 0;
  switch (last.op) {
    case WarpOp::sync:
    case WarpOp::shuffle:
    case WarpOp::match: break;
    case WarpOp::ballot:
      for (unsigned rest = lanes; rest; rest &= rest - 1)
        common |= all[std::countr_zero(rest)].value << std::countr_zero(rest);
      break;
    case WarpOp::sum: common = reduce([](uint64_t a, uint64_t b) { return U(a) + U(b); }); break;
    case WarpOp::min_signed: common = reduce([](uint64_t a, uint64_t b) { return U(std::min(S(a), S(b))); }); break;
    case WarpOp::max_signed: common = reduce([](uint64_t a, uint64_t b) { return U(std::max(S(a), S(b))); }); break;
    case WarpOp::min_unsigned: common = reduce([](uint64_t a, uint64_t b) { return std::min(U(a), U(b)); }); break;
    case WarpOp::max_unsigned: common = reduce([](uint64_t a, uint64_t b) { return std::max(U(a), U(b)); }); break;
    case WarpOp::bit_and: common = reduce([](uint64_t a, uint64_t b) { return a & b; }); break;
    case WarpOp::bit_or: common = reduce([](uint64_t a, uint64_t b) { return a | b; }); break;
    case WarpOp::bit_xor: common = reduce([](uint64_t a, uint64_t b) { return a ^ b; }); break;
  }

  const size_t first = ready_.size();
  for (unsigned rest = lanes; rest; rest &= rest - 1) {
    Thread& t = warp.threads[std::countr_zero(rest)];
    t.result = common;
    if (t.op == WarpOp::shuffle)  // a lane that takes no part has no defined value: poison
      t.result = t.source < kWarp && (lanes >> t.source & 1) ? all[t.source].value : ~uint64_t{0};
    if (t.op == WarpOp::match)
      for (unsigned r = lanes; r; r &= r - 1)
        if (all[std::countr_zero(r)].value == t.value) t.result |= uint64_t{1} << std::countr_zero(r);
    ready_.push_back(&t);
  }
  warp.waiting &= ~lanes;
  release_from(first);
}

unsigned Scheduler::active_mask() const {
  unsigned mask = 0;
  for (unsigned l = 0; l < kWarp; ++l)
    if (current_->warp->existing >> l & 1 && current_->warp->threads[l].state != State::done) mask |= 1u << l;
  return mask;
}

// ---- shared memory ----

void Scheduler::place_shared(SharedSite& site, size_t bytes, size_t alignment) {
  const size_t offset = round_up(shared_used_, std::max<size_t>(alignment, 16));
  static_bytes_ += bytes;
  if (static_bytes_ > kSharedDefault)
    fault(cudaErrorInvalidConfiguration, [&] {
      return "static shared memory of " + std::to_string(static_bytes_) + " bytes with array " + site.name +
             "; the limit is 49152 (nvcc refuses it): use dynamic shared memory";
    });
  if (static_bytes_ + zones_[0].bytes > kSharedOptIn || offset + bytes + 2 * kGuardBytes > kSharedCapacity)
    fault(cudaErrorInvalidConfiguration,
          [&] { return std::string("static and dynamic shared memory together exceed 232448 bytes"); });
  zones_.push_back({offset, bytes, site.name});
  shared_used_ = round_up(offset + bytes, 16) + kGuardBytes;
  for (Block& b : blocks_) set_guard(b.shared + offset + bytes, shared_used_ - offset - bytes);
  site.offset = offset;
  site.launch = launch_number;
}

void* Scheduler::map(const void* p, unsigned rank) {
  const char* own = current_->block->shared;
  const char* c = static_cast<const char*>(p);
  if (rank >= blocks_.size())
    fault(cudaErrorIllegalAddress, [&] {
      return where(*current_) + " mapped shared memory of rank " + std::to_string(rank) + " in a cluster of " +
             std::to_string(blocks_.size());
    });
  if (c < own || c >= own + shared_used_)
    fault(cudaErrorIllegalAddress, [&] { return where(*current_) + " mapped a pointer outside its shared memory"; });
  Block& b = blocks_[rank];
  if (b.alive == 0)
    fault(cudaErrorIllegalAddress, [&] {
      return where(*current_) + " mapped shared memory of rank " + std::to_string(rank) + ", which has returned";
    });
  return b.shared + (c - own);
}

// ---- words ----

std::string Scheduler::where(const Thread& t) const {
  return "block " + text(t.block->index) + " thread " + text(t.index);
}

// No thread can run, yet some have not returned: who waits where, in the first such block.
std::string Scheduler::stuck() const {
  const Block* block = nullptr;
  for (const Block& b : blocks_)
    if (b.alive > 0 && !block) block = &b;
  const unsigned n = block_size.x * block_size.y * block_size.z;
  std::map<std::string, unsigned> groups;
  for (unsigned i = 0; i < n; ++i) {
    const Thread& t = block->threads[i];
    char mask[32] = "";
    if (t.state == State::at_warp_op) std::snprintf(mask, sizeof mask, " (mask %08x)", t.mask);
    ++groups[t.state == State::done                 ? std::string("returned")
             : t.state == State::at_block_barrier   ? "wait at the block barrier " + describe(t.at)
             : t.state == State::at_cluster_barrier ? "wait at the cluster barrier " + describe(t.at)
                                                    : "wait at the warp function " + describe(t.at) + mask];
  }
  std::string s =
      "barrier not reached by all: in block " + text(block->index) + " of " + std::to_string(n) + " threads";
  for (const auto& [what, count] : groups) s += "; " + std::to_string(count) + " " + what;
  return s;
}

// Outside a kernel there is no running thread.
Scheduler& in_kernel(const char* what) {
  Scheduler& s = scheduler();
  if (!s.current()) {
    std::fprintf(stderr, "orrery emulation: %s called outside a kernel\n", what);
    std::abort();
  }
  return s;
}

}  // namespace

// ---- what kernels call ----

int block_barrier(Barrier kind, int predicate, Site at) {
  return in_kernel("a block barrier").block_barrier(kind, predicate, at);
}
uint64_t warp_collective(WarpOp op, unsigned mask, uint64_t value, unsigned source, Site at) {
  return in_kernel("a warp function").warp_collective(op, mask, value, source, at);
}
unsigned active_mask() { return in_kernel("__activemask").active_mask(); }
void* dynamic_shared() { return in_kernel("dynamic shared memory").dynamic_shared(); }
void place_shared(SharedSite& site, size_t bytes, size_t alignment) {
  in_kernel("a shared array").place_shared(site, bytes, alignment);
}
unsigned cluster_rank() { return in_kernel("cluster_rank").rank(); }
unsigned cluster_size() { return in_kernel("cluster_size").cluster_size(); }
void cluster_barrier(Site at) { in_kernel("cluster_sync").cluster_barrier(at); }
void* cluster_map(const void* p, unsigned rank) { return in_kernel("cluster_map").map(p, rank); }
void trap(Site at) { in_kernel("__trap").trap(at); }

// ---- what the runtime calls ----

void fiber_main() {
  scheduler().fiber_main();
  std::abort();
}
cudaError_t run(const Launch& launch) {
  std::lock_guard lock(device_mutex());
  return scheduler().run(launch);
}
std::string describe(Site at) {
  const char* slash = std::strrchr(at.file_name(), '/');
  return std::string(slash ? slash + 1 : at.file_name()) + ":" + std::to_string(at.line());
}

}  // namespace orrery::emulation
