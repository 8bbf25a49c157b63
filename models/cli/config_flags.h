// Every key of the model's and the trainer's configuration as a flag, and the one rule of precedence:
//
//   flag  >  --config FILE  >  --preset NAME  >  default
//
// A config file may name its preset with `preset = "limoe-b16"`; a --preset flag replaces that one. A
// yes-or-no key may stand alone: `--dense` is `--dense true`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "models/limoe/config.h"
#include "models/train/config.h"
#include "models/train/fields.h"

namespace limoe {

struct ConfigSources {
  std::string preset;
  std::string file;
  KeyedValues flags;  // those that were given
};

// --config, --preset and one flag for each key; `sources` must outlive the parsing.
void add_config_flags(CLI::App& command, ConfigSources& sources);

struct Configs {
  LimoeConfig model;
  TrainConfig train;
};

// Where no source names the model's vocabulary it is that of the tokenizer that one names, or the number of
// pieces asked of the one to be trained.
// Throws UsageError for a file that cannot be read, an unknown key or preset, and a value of the wrong kind or
// out of its range, FileError for a tokenizer that cannot be read. Only the model is validated as a whole: what the trainer's keys
// need is known by who uses them.
Configs resolve_configs(const ConfigSources& sources);

}  // namespace limoe
