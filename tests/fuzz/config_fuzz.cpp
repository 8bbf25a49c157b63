// A config file, with every key of model and training. What could be read is written and read again, the
// same.
#include "models/limoe/config.h"
#include "models/train/config.h"
#include "models/train/fields.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

namespace {

void take(const std::string& path, LimoeConfig& model, TrainConfig& train) {
  KeyedValues values = read_config_file(path);
  take_fields(model, values);
  take_fields(train, values);
  refuse_unknown(values, field_names<LimoeConfig>());
}

std::string written(const LimoeConfig& model, const TrainConfig& train) {
  return to_toml(model, "The model") + to_toml(train, "Training");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzzing::ScratchFolder folder;
  const std::string path = folder.write("in.toml", {data, size});
  fuzzing::expect_parsed_or_refused([&] {
    LimoeConfig model, model_again;
    TrainConfig train, train_again;
    take(path, model, train);
    const std::string text = written(model, train);
    const std::string copy =
        folder.write("copy.toml", {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    take(copy, model_again, train_again);
    fuzzing::expect(written(model_again, train_again) == text, "the same config");
    fuzzing::expect_parsed_or_refused([&] { validate(model); });
    fuzzing::expect_parsed_or_refused([&] { validate(train); });
    fuzzing::expect_parsed_or_refused([&] { upsampling_factors(train); });
  });
  return 0;
}
