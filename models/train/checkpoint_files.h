// The names of a checkpoint's files, for the code that writes them and the code that reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

inline constexpr const char* kModelFile = "model.safetensors";
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";
inline constexpr const char* kTrainerFile = "trainer.json";
inline constexpr const char* kConfigFile = "config.toml";
inline constexpr const char* kTokenizerFile = "tokenizer.model";

inline constexpr const char* kTensorFormat = "limoe";
inline constexpr const char* kTrainerFormat = "limoe trainer";
inline constexpr int64_t kCheckpointVersion = 1;

const std::vector<std::string>& checkpoint_files();  // all of them but the manifest

}  // namespace limoe
