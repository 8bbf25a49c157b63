// cuDNN's graphs of one operation, loaded by hand: a program without the library starts and says so when it
// is asked for.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/stream.h"

namespace limoe::cuda {

struct Cudnn {
  decltype(&cudnnCreate) create;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnGetVersion) version;
  decltype(&cudnnGetErrorString) status_text;
  decltype(&cudnnBackendCreateDescriptor) make;
  decltype(&cudnnBackendDestroyDescriptor) destroy;
  decltype(&cudnnBackendSetAttribute) set;
  decltype(&cudnnBackendGetAttribute) get;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;
  cudnnHandle_t handle = nullptr;
};

// The library, ready for use, or null and why.
const Cudnn* cudnn(std::string* why = nullptr);

// Throws CudaError unless the call succeeded.
void expect_cudnn(cudnnStatus_t status, const char* call);

// One descriptor, destroyed with its block.
class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;

  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const void* values,
           int64_t count = 1);
  void set(cudnnBackendAttributeName_t name, const CudnnDescriptor& descriptor);
  bool finalize() { return cudnn()->finalize(handle_) == CUDNN_STATUS_SUCCESS; }
  cudnnBackendDescriptor_t get() const { return handle_; }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

// What an operation reads and writes. An id names the pointer that is given to run().
struct CudnnTensor {
  int64_t id;
  cudnnDataType_t type;
  std::vector<int64_t> dims, strides;  // in elements
  bool by_value = false;               // one number, read on the host when the operation is given its work
};
CudnnDescriptor described(const CudnnTensor& tensor);

// An operation as the library's first choice of an algorithm runs it; empty when it has none.
class CudnnPlan {
 public:
  explicit CudnnPlan(CudnnDescriptor operation);  // with its attributes set, not finalized
  ~CudnnPlan();
  CudnnPlan(const CudnnPlan&) = delete;
  CudnnPlan& operator=(const CudnnPlan&) = delete;

  bool exists() const { return plan_ != nullptr; }
  // pointers[id] for every tensor of the operation.
  void run(Stream stream, const std::vector<std::pair<int64_t, void*>>& pointers) const;

 private:
  bool take(const CudnnDescriptor& graph, cudnnBackendHeurMode_t mode);

  std::unique_ptr<CudnnDescriptor> plan_;
  void* workspace_ = nullptr;
};

// Plans by everything they depend on, each made once, for the one thread that gives a device its work. Never
// destroyed: the library may be gone by the end of the program.
class CudnnPlans {
 public:
  template <class MakeOperation>
  const CudnnPlan& of(const std::vector<int64_t>& key, const MakeOperation& operation) {
    std::unique_ptr<CudnnPlan>& plan = by_key_[key];
    if (!plan) plan = std::make_unique<CudnnPlan>(operation());
    return *plan;
  }

 private:
  std::map<std::vector<int64_t>, std::unique_ptr<CudnnPlan>> by_key_;
};

}  // namespace limoe::cuda
