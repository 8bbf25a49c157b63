// Stream and Event: an order of work on a device, without naming a CUDA type.
//
// Work given to one stream runs in the order it was given; the device has one compute stream, on which all
// ops run. Both are handles: copying copies the handle, and the default ones name the compute stream of the
// current device and no event.
#pragma once

namespace limoe::cuda {

struct Stream {
  void* handle = nullptr;  // a cudaStream_t; null is the compute stream
};

struct Event {
  void* handle = nullptr;  // a cudaEvent_t
};

}  // namespace limoe::cuda
