// A checkpoint's folder in which one file was changed. The first byte chooses: bits 0-2 the file; bit 5: what
// training needs to go on is loaded, otherwise the model; bit 6: the rest of the input takes the file's
// place, otherwise edits are made in it, each of them where (2 bytes), how many bytes go (1), how many come
// (1), and those; bit 7: the manifest is made to fit, as someone would who means harm.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "models/train/checkpoint_files.h"
#include "models/train/fields.h"
#include "models/train/manifest.h"
#include "tensor/factory.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

namespace {

// What differs from the defaults. A file with every key would take most of an execution, and `config` is a
// target of its own.
constexpr char kConfig[] = R"(image-size = 2
patch-size = 2
text-length = 2
vocabulary = 259
width = 4
joint-width = 4
mlp-width = 4
layers = 2
heads = 1
experts = 2
global-text-experts = 2
global-image-experts = 2
)";

class Checkpoint {
 public:
  Checkpoint() {
    LimoeConfig config;
    const std::string_view text(kConfig);
    KeyedValues values = read_config_file(
        folder_.write("config.toml", {reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
    take_fields(config, values);
    const ParameterArena arena(parameter_specs(config), 5);
    const auto tokenizer = make_byte_tokenizer();
    path_ =
        save_checkpoint(folder_.path() + "/run",
                        {.model = config,
                         .train = TrainConfig{},
                         .arena = arena,
                         .optimizer_state = {{"moment", full({5}, 0.5)}},
                         .trainer = TrainerState{.step = 3, .samples_seen = 9, .loader = {}, .notes = "{}"},
                         .tokenizer = *tokenizer},
                        {.newest = 1})
            .path;
    names_ = checkpoint_files();
    names_.push_back(kManifestFile);
    std::filesystem::copy_file(folder_.path() + "/config.toml", path_ + "/" + kConfigFile,
                               std::filesystem::copy_options::overwrite_existing);
    write_manifest(path_, checkpoint_files());
    for (const std::string& name : names_) contents_.push_back(contents_of(name));
  }

  const std::string& path() const { return path_; }
  size_t files() const { return names_.size(); }
  const std::string& contents(size_t file) const { return contents_[file]; }

  void write(size_t file, const std::string& bytes) const {
    std::ofstream(path_ + "/" + names_[file], std::ios::binary | std::ios::trunc) << bytes;
  }
  void restore(size_t file) const {
    write(file, contents_[file]);
    write(names_.size() - 1, contents_.back());
  }

 private:
  std::string contents_of(const std::string& name) const {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fuzzing::ScratchFolder folder_;
  std::string path_;
  std::vector<std::string> names_, contents_;
};

std::string edited(std::string text, std::span<const uint8_t> edits) {
  constexpr size_t kHead = 4;
  while (edits.size() >= kHead) {
    const size_t at = (edits[0] | size_t{edits[1]} << 8) % (text.size() + 1);
    const size_t come = std::min<size_t>(edits[3], edits.size() - kHead);
    text.replace(at, edits[2], fuzzing::text_of(edits.subspan(kHead, come)));
    edits = edits.subspan(kHead + come);
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Checkpoint checkpoint;
  const fuzzing::Input input(data, size);
  const size_t file = (input.mode & 7u) % checkpoint.files();
  const bool is_manifest = file + 1 == checkpoint.files();
  checkpoint.write(
      file, input.has(6) ? fuzzing::text_of(input.rest) : edited(checkpoint.contents(file), input.rest));
  if (input.has(7) && !is_manifest) write_manifest(checkpoint.path(), checkpoint_files());
  fuzzing::expect_parsed_or_refused([&] {
    if (input.has(5))
      load_trainer(checkpoint.path());
    else
      load_model(checkpoint.path());
  });
  checkpoint.restore(file);
  return 0;
}
