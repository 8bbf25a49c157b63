#include "bench/support/bench_table.h"

#include <algorithm>

#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe::bench {
namespace {

bool is_of(const BenchCase& one, const std::string& op) {
  return one.op == op || one.op + '/' + one.pass == op;
}

}  // namespace

std::vector<std::string> op_names(const std::vector<BenchCase>& cases) {
  std::vector<std::string> names;
  for (const BenchCase& one : cases)
    if (std::find(names.begin(), names.end(), one.op) == names.end()) names.push_back(one.op);
  return names;
}

std::vector<BenchCase> select_cases(const std::vector<BenchCase>& all, const std::vector<std::string>& ops,
                                    bool all_versions) {
  for (const std::string& op : ops)
    if (std::none_of(all.begin(), all.end(), [&](const BenchCase& one) { return is_of(one, op); }))
      throw UsageError("bench: \"", op, "\" is unknown; the nearest op is ", nearest_name(op, op_names(all)));
  std::vector<BenchCase> chosen;
  for (const BenchCase& one : all) {
    const bool wanted = ops.empty() || std::any_of(ops.begin(), ops.end(),
                                                   [&](const std::string& op) { return is_of(one, op); });
    if (wanted && (all_versions || one.version.empty())) chosen.push_back(one);
  }
  return chosen;
}

}  // namespace limoe::bench
