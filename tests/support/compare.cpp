#include "tests/support/compare.h"

#include <cstring>
#include <vector>

#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::testing {
namespace {

// Flat index 5 of [2, 3] -> "[1, 2]".
std::string index_text(int64_t flat, const Shape& shape) {
  std::vector<int64_t> at(size_t(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    at[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  std::string text = "[";
  for (size_t axis = 0; axis < at.size(); ++axis) text += (axis ? ", " : "") + std::to_string(at[axis]);
  return text + "]";
}

}  // namespace

Comparison close(const Tensor& got, const Tensor& wanted, tolerance::Allowed allowed) {
  if (got.shape() != wanted.shape())
    return {false, concatenate("shape is ", got.shape(), "; wanted ", wanted.shape())};
  const std::vector<double> a = to_vector<double>(got), b = to_vector<double>(wanted);
  int64_t worst = -1, wrong = 0;
  double worst_excess = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;  // also equal infinities
    const double error = std::abs(a[i] - b[i]), limit = allowed.absolute + allowed.relative * std::abs(b[i]);
    if (error <= limit) continue;
    ++wrong;
    const double excess = std::isnan(error) ? INFINITY : error - limit;
    if (worst < 0 || excess > worst_excess) worst = int64_t(i), worst_excess = excess;
  }
  if (worst < 0) return {};
  std::ostringstream text;
  text.precision(9);
  text << wrong << " of " << a.size() << " elements differ; worst at " << index_text(worst, got.shape())
       << ": got " << a[worst] << ", wanted " << b[worst] << ", error " << std::abs(a[worst] - b[worst])
       << ", allowed " << allowed.absolute + allowed.relative * std::abs(b[worst]);
  return {false, text.str()};
}

Comparison close_in_mean(const Tensor& got, const Tensor& wanted, double allowed) {
  if (got.shape() != wanted.shape())
    return {false, concatenate("shape is ", got.shape(), "; wanted ", wanted.shape())};
  const std::vector<double> a = to_vector<double>(got), b = to_vector<double>(wanted);
  double error = 0, size = 0;
  size_t worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = a[i] == b[i] ? 0 : a[i] - b[i];  // equal infinities differ by nothing
    error += difference * difference;
    if (std::isfinite(b[i])) size += b[i] * b[i];
    if (!(std::abs(difference) <= std::abs(a[worst] == b[worst] ? 0 : a[worst] - b[worst]))) worst = i;
  }
  if (error <= allowed * size) return {};
  std::ostringstream text;
  text.precision(9);
  text << "normalised mean squared error " << error / size << ", allowed " << allowed << "; worst at "
       << index_text(int64_t(worst), got.shape()) << ": got " << a[worst] << ", wanted " << b[worst];
  return {false, text.str()};
}

Comparison same_bits(const Tensor& got, const Tensor& wanted) {
  if (got.shape() != wanted.shape() || got.dtype() != wanted.dtype())
    return {false,
            concatenate(got.dtype(), " ", got.shape(), "; wanted ", wanted.dtype(), " ", wanted.shape())};
  const Tensor a = contiguous(to_device(got, {})), b = contiguous(to_device(wanted, {}));
  const size_t size = size_of(a.dtype());
  for (int64_t i = 0; i < a.element_count(); ++i)
    if (std::memcmp(a.raw_data() + i * size, b.raw_data() + i * size, size) != 0)
      return {false, concatenate("bits differ first at ", index_text(i, a.shape()), ": got ",
                                 to_vector<double>(a)[i], ", wanted ", to_vector<double>(b)[i])};
  return {};
}

}  // namespace limoe::testing
