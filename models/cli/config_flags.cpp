#include "models/cli/config_flags.h"

#include <type_traits>

#include "data/tokenizer.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

constexpr const char* kPresetKey = "preset";

template <class Field>
const char* type_name_of(const Field&) {
  if (std::is_same_v<Field, bool>) return "[BOOL]";
  if (std::is_same_v<Field, std::string>) return "TEXT";
  return "N";
}

template <class Config>
void add_flags_of(CLI::App& command, KeyedValues& given, const std::string& group) {
  const Config defaults;
  visit_fields(defaults, [&](const char* key, const auto& value, const char* help) {
    using Field = std::decay_t<decltype(value)>;
    const std::string flag = std::string("--") + key;
    const std::string shown = text_of(value).empty() ? "none" : text_of(value);
    CLI::Option* option = command.add_option_function<std::string>(
        flag,
        [&given, key, flag](const std::string& text) {
          const bool stands_alone = std::is_same_v<Field, bool> && text.empty();
          given.insert_or_assign(key, KeyedText{stands_alone ? "true" : text, flag});
        },
        std::string(help) + " [" + shown + "]");
    option->type_name(type_name_of(value))->group(group);
    if constexpr (std::is_same_v<Field, bool>) option->expected(0, 1);
  });
}

LimoeConfig starting_point(const std::string& name) {
  return name.empty() ? LimoeConfig{} : preset(name);
}

// Training takes it from the tokenizer. That is at hand unless it is to be trained; then it is known how many
// pieces were asked for. A number that no tokenizer can have is for the tokenizer's own error.
void take_vocabulary(Configs& configs, bool tokenizer_given, bool pieces_given) {
  const TrainConfig& train = configs.train;
  if (train.tokenizer != "sentencepiece") {
    if (tokenizer_given) configs.model.vocabulary = load_tokenizer(train.tokenizer)->vocab_size();
  } else if (pieces_given && train.tokenizer_vocabulary > 0) {
    configs.model.vocabulary = train.tokenizer_vocabulary;
  }
}

}  // namespace

void add_config_flags(CLI::App& command, ConfigSources& sources) {
  command.add_option("--config", sources.file, "config file: the keys below, one `key = value` a line")
      ->type_name("FILE");
  command.add_option("--preset", sources.preset, "a named model: " + CLI::detail::join(preset_names(), ", "))
      ->type_name("NAME");
  add_flags_of<LimoeConfig>(command, sources.flags, "The model");
  add_flags_of<TrainConfig>(command, sources.flags, "Training");
}

Configs resolve_configs(const ConfigSources& sources) {
  KeyedValues from_file;
  try {
    if (!sources.file.empty()) from_file = read_config_file(sources.file);
  } catch (const FileError& error) {
    throw UsageError("--config: ", error.what());
  }
  std::string preset_name = sources.preset;
  if (const auto named = from_file.find(kPresetKey); named != from_file.end()) {
    if (preset_name.empty()) preset_name = named->second.text;
    from_file.erase(named);
  }
  std::vector<std::string> known = field_names<LimoeConfig>();
  for (const std::string& name : field_names<TrainConfig>()) known.push_back(name);
  known.push_back(kPresetKey);
  try {
    Configs configs{starting_point(preset_name), {}};
    for (KeyedValues values : {from_file, sources.flags}) {
      take_fields(configs.model, values);
      take_fields(configs.train, values);
      refuse_unknown(values, known);
    }
    const auto given = [&](const char* key) {
      return from_file.contains(key) || sources.flags.contains(key);
    };
    if (!given("vocabulary")) take_vocabulary(configs, given("tokenizer"), given("tokenizer-vocabulary"));
    validate(configs.model);
    return configs;
  } catch (const ValueError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace limoe
