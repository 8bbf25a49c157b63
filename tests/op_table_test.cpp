// That every op has a signature, that every signature is held against its op, and what `limoe ops` says.
#include "ops/op_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/limoe_says.h"
#include "tests/support/op_case.h"
#include "tests/support/paths.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

std::string sources_of(const std::string& folder, const std::string& ending) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(source_path(folder)))
    if (entry.path().string().ends_with(ending)) {
      std::ifstream file(entry.path());
      text.append(std::istreambuf_iterator<char>(file), {});
    }
  return text;
}

std::set<std::string> first_groups(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

std::set<std::string> table_names() {
  std::set<std::string> names;
  for (const OpSignature& op : op_signatures()) names.insert(op.name);
  return names;
}

constexpr const char* kDeclaredOp = "^(?:Var|std::vector<Var>|Vars|Routing) (\\w+)\\(";

}  // namespace

TEST_CASE("ops table: every op that a header of ops/ declares has a signature, and nothing else has") {
  CHECK(first_groups("Var silu(const Var& x);\nTensor silu_forward(\n", kDeclaredOp) ==
        std::set<std::string>{"silu"});
  const std::set<std::string> declared = first_groups(sources_of("ops", ".h"), kDeclaredOp);
  CHECK(declared.size() >= 35);
  for (const std::string& op : declared)
    CHECK_MESSAGE(table_names().contains(op), op, " has no ops/", op, "_signature.cpp");
  for (const std::string& op : table_names())
    CHECK_MESSAGE(declared.contains(op), op, " is declared nowhere");
}

TEST_CASE("ops table: every signature is held against a direct call of its op by some test") {
  const std::set<std::string> checked =
      first_groups(sources_of("tests", "_test.cpp"), "check_signature\\(\\s*\"(\\w+)\"");
  for (const std::string& op : table_names())
    CHECK_MESSAGE(checked.contains(op), "no test calls check_signature(\"", op, "\", ...)");
}

TEST_CASE("ops table: signatures say what they take, give and mean, each name once") {
  for (const OpSignature& op : op_signatures()) {
    CAPTURE(op.name);
    CHECK(!op.summary.empty());
    CHECK(!op.inputs.empty());
    CHECK(!op.outputs.empty());
    std::set<std::string> names;
    for (const InputSlot& slot : op.inputs) CHECK(names.insert(slot.name).second);
    for (const InputSlot& slot : op.inputs) CHECK(names.insert("d" + slot.name).second);
    for (const OutputSlot& slot : op.outputs) {
      CHECK(names.insert(slot.name).second);
      CHECK(names.insert("d" + slot.name).second);
    }
    for (const ParameterSlot& slot : op.parameters) {
      CHECK(!slot.meaning.empty());
      CHECK(slot.name.find('_') == std::string::npos);  // they are flags
    }
  }
}

TEST_CASE("limoe ops list: a table of all, a page of one, and JSON") {
  const Said table = limoe_says({"ops", "list"});
  const auto json = nlohmann::json::parse(limoe_says({"ops", "list", "--json"}).output);
  CHECK(json.size() == op_signatures().size());
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string name = json[i]["name"];
    CAPTURE(name);
    CHECK(contains(table.output, "\n" + name + " "));
    const Said page = limoe_says({"ops", "list", name});
    CHECK(page.status == 0);
    for (const auto& input : json[i]["inputs"])
      CHECK(contains(page.output, "\n  " + std::string(input["name"])));
    for (const auto& slot : json[i]["parameters"])
      CHECK(contains(page.output, "\n  --" + std::string(slot["name"])));
  }
  CHECK(limoe_says({"ops", "list", "gelo"}).errors == "limoe: \"gelo\" is no op; the nearest one is gelu\n");
}

TEST_CASE("limoe ops run: dtypes are converted only when asked for, and then it is said") {
  const ScratchFolder folder;
  const std::string in = folder / "in.safetensors", out = folder / "out.safetensors";
  write_safetensors(in, {{"x", to_dtype(normal({2, 3}), DType::f32)}, {"dy", normal({2, 3}, 1)}});
  const Said mixed = limoe_says({"ops", "run", "gelu", "--in", in, "--out", out, "--grad"});
  CHECK(mixed.errors == "limoe: gelu: dy is f64; expected f32 like y\n");
  CHECK(mixed.status == 1);
  const Said said = limoe_says({"ops", "run", "gelu", "--in", in, "--out", out, "--grad", "--dtype", "f64"});
  CHECK(contains(said.output, "x is converted from f32 to f64\n"));
  CHECK(!contains(said.output, "dy is converted"));
  const SafetensorsFile file = read_safetensors(out);
  CHECK(file.tensors.at("dx").dtype() == DType::f64);
  CHECK(file.metadata.at("op") == "gelu");
  const Said bf16 = limoe_says({"ops", "run", "gelu", "--in", in, "--out", out, "--dtype", "bf16"});
  CHECK(bf16.errors == "limoe: gelu: the tensor is bf16; expected f32 or f64 on cpu\n");
  const Said view =
      limoe_says({"ops", "run", "transpose", "--in", in, "--out", out, "--dtype", "bf16", "--grad"});
  CHECK(view.status == 1);  // dy has the shape of x, not of y
  CHECK(contains(view.errors, "transpose: dy is [2, 3]; expected [3, 2]"));
}

TEST_CASE("limoe ops run: a gradient needs dy where y is more than one number, and an op that has one") {
  const ScratchFolder folder;
  const std::string in = folder / "in.safetensors", out = folder / "out.safetensors";
  write_safetensors(in, {{"x", normal({2, 3})}});
  CHECK(limoe_says({"ops", "run", "gelu", "--in", in, "--out", out, "--grad"}).errors ==
        "limoe: gelu: tensor \"dy\" is missing; expected [2, 3], the gradient of y\n");
  CHECK(limoe_says({"ops", "run", "sum", "--in", in, "--out", out, "--grad"}).status == 0);
  CHECK_SAME_BITS(read_safetensors(out).tensors.at("dx"), full({2, 3}, 1, DType::f64));
  write_safetensors(in, {{"probs", uniform({3, 2}, 0, 1)}, {"group_of", zeros({3}, DType::i32)}});
  CHECK(limoe_says({"ops", "run", "moe_route", "--in", in, "--out", out, "--grad"}).errors ==
        "limoe: moe_route: has no gradient; expected to be run without one\n");
}

TEST_CASE("limoe ops: a wrong call is one line and exit status 2") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> calls{
      {{"ops", "lst"}, "limoe: ops: \"lst\" is unknown; the nearest one is list\n"},
      {{"ops", "run"}, "limoe: ops run: OP is missing; expected a name of `limoe ops list`\n"},
      {{"ops", "run", "softmxa"}, "limoe: \"softmxa\" is no op; the nearest one is softmax\n"},
      {{"ops", "run", "gelu", "--out", "b"},
       "limoe: --in is missing; expected a safetensors file of gelu's inputs\n"},
      {{"ops", "run", "gelu", "--in", "a"},
       "limoe: --out is missing; expected a safetensors file to write\n"},
      {{"ops", "run", "gelu", "--in", "a", "--out", "b", "--device", "tpu"},
       "limoe: --device: is \"tpu\"; expected cpu, cuda or sim\n"},
      {{"ops", "run", "gelu", "--in", "a", "--out", "b", "--dtype", "f16"},
       "limoe: --dtype: is \"f16\"; expected f32, f64 or bf16\n"},
      {{"ops", "run", "attention", "--haeds", "2"},
       "limoe: --haeds is no flag of `limoe ops`; the nearest one is --heads\n"}};
  for (const auto& [words, line] : calls) {
    const Said said = limoe_says(words);
    CHECK(said.errors == line);
    CHECK(said.status == 2);
  }
  CHECK(limoe_says({"ops", "run", "gelu", "--in", "/nowhere", "--out", "b"}).status == 1);
}
