#include "ops/patchify.h"

#include <algorithm>

#include "autograd/record.h"
#include "cuda/patchify.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

struct Grid {
  int64_t down, across;  // patches
  int64_t height;        // of a patch: rows of pixels
  int64_t run;           // numbers in one row of pixels of one patch
  int64_t patch_size() const { return height * run; }
};

Grid grid_of(const Shape& images, int64_t patch) {
  return {images[1] / patch, images[2] / patch, patch, patch * images[3]};
}

cuda::PatchGrid device_grid(int64_t pictures, const Grid& grid) {
  return {pictures, grid.down, grid.across, grid.height, grid.run};
}

// copy(in picture, in patches, count) for every row of pixels of every patch; both are offsets.
template <class Copy>
void for_each_run(int64_t pictures, const Grid& grid, const Copy& copy) {
  const int64_t picture_row = grid.across * grid.run;
  const int64_t patch_rows = pictures * grid.down;
  parallel_for(patch_rows, rows_per_run(grid.across * grid.patch_size()), [&](int64_t begin, int64_t end) {
    for (int64_t patch_row = begin; patch_row < end; ++patch_row)
      for (int64_t y = 0; y < grid.height; ++y)
        for (int64_t column = 0; column < grid.across; ++column)
          copy((patch_row * grid.height + y) * picture_row + column * grid.run,
               (patch_row * grid.across + column) * grid.patch_size() + y * grid.run, grid.run);
  });
}

void expect_images(const Tensor& images, int64_t patch) {
  expect_floating("patchify", "images", images);
  expect_rank("patchify", "images", images, 4);
  if (patch < 1) throw ValueError("patchify: patch is ", patch, "; expected 1 or more");
  if (images.dim(1) % patch != 0 || images.dim(2) % patch != 0)
    throw ShapeError("patchify: images is ", images.shape(), "; expected height and width in multiples of ",
                     patch, ", the patch size");
}

}  // namespace

Tensor patchify_forward(const Tensor& images, int64_t patch) {
  expect_images(images, patch);
  const Tensor in = contiguous(images);
  const Grid grid = grid_of(images.shape(), patch);
  Tensor y =
      empty({images.dim(0), grid.down * grid.across, grid.patch_size()}, images.dtype(), images.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const T* const from = in.data<T>();
    T* const to = y.mutable_data<T>();
    for_each_run(images.dim(0), grid, [=](int64_t in_picture, int64_t in_patches, int64_t count) {
      std::copy_n(from + in_picture, count, to + in_patches);
    });
  };
  dispatch("patchify", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::patchify_forward(on.stream, in.device_data<T>(), y.mutable_device_data<T>(),
                           device_grid(images.dim(0), grid));
  });
  return y;
}

Tensor patchify_backward(const Shape& image_shape, int64_t patch, const Tensor& dy) {
  const Grid grid = grid_of(image_shape, patch);
  expect_shape("patchify backward", "dy", dy, {image_shape[0], grid.down * grid.across, grid.patch_size()},
               "because images is ", image_shape);
  const Tensor gradient = contiguous(dy);
  Tensor dimages = empty(image_shape, dy.dtype(), dy.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const T* const from = gradient.data<T>();
    T* const to = dimages.mutable_data<T>();
    for_each_run(image_shape[0], grid, [=](int64_t in_picture, int64_t in_patches, int64_t count) {
      std::copy_n(from + in_patches, count, to + in_picture);
    });
  };
  dispatch("patchify backward", gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::patchify_backward(on.stream, gradient.device_data<T>(), dimages.mutable_device_data<T>(),
                            device_grid(image_shape[0], grid));
  });
  return dimages;
}

Var patchify(const Var& images, int64_t patch) {
  const Var patches = record("patchify", patchify_forward(images.value(), patch), {images},
                             [shape = images.shape(), patch](const Tensor& dy, InputGradients& d) {
                               d.set(0, patchify_backward(shape, patch, dy));
                             });
  return rematerialized(
      patches, [images = save(images, "images"), patch] { return patchify_forward(images.get(), patch); });
}

}  // namespace limoe
