#include "cuda/vendor/upload.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "tensor/error.h"
#include "tensor/parallel.h"

namespace limoe::cuda {
namespace {

constexpr size_t kPieceBytes = size_t{4} << 20;
constexpr int kPieces = 4;
constexpr int64_t kTogether = 256 << 10;  // bytes that a thread copies at a time

void expect_success(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw CudaError("copy to the device: ", what, ": ", cudaGetErrorName(status), ": ",
                    cudaGetErrorString(status));
}

void copy_by_all_threads(unsigned char* to, const unsigned char* from, size_t bytes) {
  const int64_t runs = (int64_t(bytes) + kTogether - 1) / kTogether;
  parallel_for(runs, 1, [=](int64_t begin, int64_t end) {
    const size_t first = size_t(begin * kTogether), last = std::min(bytes, size_t(end * kTogether));
    std::memcpy(to + first, from + first, last - first);
  });
}

// Kept until the program ends, when the driver may be gone already.
class Pieces {
 public:
  Pieces() {
    for (Piece& piece : pieces_) {
      expect_success(cudaMallocHost(&piece.memory, kPieceBytes), "page-locked memory");
      expect_success(cudaEventCreateWithFlags(&piece.sent, cudaEventDisableTiming), "an event");
    }
  }

  void send(unsigned char* to, const unsigned char* from, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (size_t at = 0; at < bytes; at += kPieceBytes) {
      const Piece& piece = pieces_[next_];
      next_ = (next_ + 1) % kPieces;
      const size_t count = std::min(kPieceBytes, bytes - at);
      expect_success(cudaEventSynchronize(piece.sent), "waiting for a piece");
      copy_by_all_threads(static_cast<unsigned char*>(piece.memory), from + at, count);
      expect_success(cudaMemcpyAsync(to + at, piece.memory, count, cudaMemcpyHostToDevice),
                     "sending a piece");
      expect_success(cudaEventRecord(piece.sent), "an event");
    }
  }

 private:
  struct Piece {
    void* memory = nullptr;
    cudaEvent_t sent = nullptr;  // the piece may be filled again
  };

  std::mutex mutex_;
  Piece pieces_[kPieces];
  int next_ = 0;
};

}  // namespace

void upload(void* to, const void* host, size_t bytes) {
  static Pieces& pieces = *new Pieces;
  pieces.send(static_cast<unsigned char*>(to), static_cast<const unsigned char*>(host), bytes);
}

}  // namespace limoe::cuda
