// What this machine can do at most, measured: the yardsticks a case is held against.
//
//   flop/s    chains of fused multiply-adds (one of f32 lanes as wide as the processor has) that never leave
//             the registers, as many as hide their latency; the best of several runs
//   bytes/s   memcpy between two buffers, what is read and what is written counted, at the size a case moves:
//             a copy that fits a cache is held against the cache
//
// Both with the threads that limoe works with (tensor/parallel.h).
#pragma once

#include <cstdint>
#include <map>

namespace limoe::bench {

class Machine {
 public:
  Machine();             // measures the flop rates: about a fifth of a second
  void measure_again();  // that of all threads: a machine that others use too is not always equally fast

  double flop_rate() const { return flop_rate_; }          // all threads
  double flop_rate_of_one() const { return one_thread_; }  // one thread
  double copy_rate(double bytes);                          // measured when first asked for, by power of two

  // The least time a call can take here: its limit. Whichever of the two rates binds.
  double least_seconds(double flop, double bytes);

 private:
  double flop_rate_, one_thread_;
  std::map<int, double> copy_rates_;
};

}  // namespace limoe::bench
