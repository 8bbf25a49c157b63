// The figures of `limoe bench data` as a table for people and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/cli/bench_data.h"

namespace limoe {

std::string data_bench_text(const DataBenchResult& result);
nlohmann::ordered_json data_bench_json(const DataBenchOptions& options, const DataBenchResult& result);

}  // namespace limoe
