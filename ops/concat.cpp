#include "ops/concat.h"

#include "autograd/record.h"
#include "ops/axis_blocks.h"
#include "ops/check.h"
#include "tensor/factory.h"

namespace limoe {

Tensor concat_forward(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) throw ValueError("concat: parts is empty; expected one tensor or more");
  const Tensor& first = parts[0];
  const int at = first.shape().normalized_axis(axis);
  int64_t size = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string name = concatenate("parts[", i, "]");
    expect_rank("concat", name.c_str(), parts[i], first.rank());
    expect_shape("concat", name.c_str(), parts[i], first.shape().with(at, parts[i].dim(at)),
                 "because parts[0] is ", first.shape());
    expect_same_kind("concat", name.c_str(), parts[i], "parts[0]", first);
    size += parts[i].dim(at);
  }
  Tensor y = empty(first.shape().with(at, size), first.dtype(), first.device());
  int64_t begin = 0;
  for (const Tensor& part : parts) {
    copy_into_slice(y, at, begin, part);
    begin += part.dim(at);
  }
  return y;
}

Var concat(const std::vector<Var>& parts, int axis) {
  std::vector<Tensor> values;
  std::vector<int64_t> sizes;
  for (const Var& part : parts) values.push_back(part.value());
  const Tensor y = concat_forward(values, axis);
  for (const Tensor& value : values) sizes.push_back(value.dim(axis));
  return record("concat", y, parts, [sizes, axis](const Tensor& dy, InputGradients& d) {
    int64_t begin = 0;
    for (size_t i = 0; i < sizes.size(); begin += sizes[i++])
      if (d.wanted(i)) d.set(i, dy.slice(axis, begin, begin + sizes[i]));
  });
}

}  // namespace limoe
