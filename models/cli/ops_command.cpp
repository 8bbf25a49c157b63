// limoe ops list [OP] [--json] · limoe ops run OP --in A --out B [--grad] [--dtype T] [--PARAMETER V]
//
// Any op on the tensors of a file, so that it can be held against another library. The parameters of all ops
// are flags of this one command; one that the chosen op does not have is refused.
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "cuda/install.h"
#include "models/cli/command.h"
#include "models/cli/ops_list.h"
#include "models/cli/table.h"
#include "ops/op_table.h"
#include "ops/run_op.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"
#include "tensor/safetensors.h"

namespace limoe {
namespace {

struct OpsArguments {
  std::string action, op, in, out, dtype;
  std::string device = "cpu";
  bool json = false, grad = false;
  NamedTexts parameters;  // by name; empty where none was given
  std::map<std::string, const CLI::Option*> options;
};

NamedTexts given_parameters(const OpsArguments& arguments) {
  NamedTexts given;
  for (const auto& [name, option] : arguments.options)
    if (option->count() > 0) given[name] = arguments.parameters.at(name);
  return given;
}

Device installed_device(const std::string& name) {
  if (name != "cpu" && name != "cuda" && name != "sim")
    throw UsageError("--device: is \"", name, "\"; expected cpu, cuda or sim");
  const Device device = parse_device(name);
  cuda::install(device.kind);
  return device;
}

DType floating_dtype(const std::string& name) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16})
    if (name == name_of(dtype)) return dtype;
  throw UsageError("--dtype: is \"", name, "\"; expected f32, f64 or bf16");
}

std::string text_of(const Shape& shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

void write_results(const std::string& path, const OpSignature& op, const NamedTensors& results,
                   NamedTexts metadata) {
  metadata["op"] = op.name;
  write_safetensors(path, results, metadata);
  Table table({Align::left, Align::left, Align::left});
  for (const auto& [name, tensor] : results)
    table.row({name, std::string(name_of(tensor.dtype())), text_of(tensor.shape())});
  std::cout << table.text() << "written to " << path << "\n";
}

void run(const OpsArguments& arguments) {
  if (arguments.op.empty()) throw UsageError("ops run: OP is missing; expected a name of `limoe ops list`");
  const OpSignature& op = find_op(arguments.op);
  const Device device = installed_device(arguments.device);
  if (arguments.in.empty())
    throw UsageError("--in is missing; expected a safetensors file of ", op.name, "'s inputs");
  if (arguments.out.empty()) throw UsageError("--out is missing; expected a safetensors file to write");
  if (arguments.json) throw UsageError("--json: is a flag of `limoe ops list`; expected none for a run");
  RunOptions options{
      .parameters = given_parameters(arguments), .gradients = arguments.grad, .device = device};
  if (!arguments.dtype.empty()) options.dtype = floating_dtype(arguments.dtype);
  const SafetensorsFile file = read_safetensors(arguments.in);
  for (const auto& [name, type] : file.converted)
    std::cout << name << " is " << type << " in the file and read as " << file.tensors.at(name).dtype() << "\n";
  const OpRun done = run_op(op, file.tensors, options);
  for (const std::string& conversion : done.conversions) std::cout << conversion << "\n";
  write_results(arguments.out, op, done.results, options.parameters);
}

void list(const OpsArguments& arguments) {
  if (arguments.json && !arguments.op.empty())
    throw UsageError("--json: lists every op; expected no OP, found \"", arguments.op, "\"");
  if (arguments.json)
    std::cout << json_of_ops();
  else
    std::cout << (arguments.op.empty() ? table_of_ops() : page_of_op(find_op(arguments.op)));
}

void list_or_run(const OpsArguments& arguments) {
  if (arguments.action == "list") return list(arguments);
  if (arguments.action == "run") return run(arguments);
  throw UsageError("ops: \"", arguments.action, "\" is unknown; the nearest one is ",
                   nearest_name(arguments.action, {"list", "run"}));
}

// "reshape, cast: what it means", ops of one meaning together.
std::string described(const std::string& parameter) {
  std::vector<std::pair<std::string, std::string>> ops_by_meaning;
  for (const OpSignature& op : op_signatures())
    for (const ParameterSlot& slot : op.parameters) {
      if (slot.name != parameter) continue;
      const std::string meaning =
          slot.standard.empty() ? slot.meaning : slot.meaning + " [" + slot.standard + "]";
      const auto same = std::find_if(ops_by_meaning.begin(), ops_by_meaning.end(),
                                     [&](const auto& entry) { return entry.first == meaning; });
      if (same == ops_by_meaning.end())
        ops_by_meaning.emplace_back(meaning, op.name);
      else
        same->second += ", " + op.name;
    }
  std::string text;
  for (const auto& [meaning, ops] : ops_by_meaning) text += (text.empty() ? "" : "; ") + ops + ": " + meaning;
  return text;
}

void declare_parameters(CLI::App& flags, OpsArguments& arguments) {
  std::set<std::string> names;
  for (const OpSignature& op : op_signatures())
    for (const ParameterSlot& slot : op.parameters) names.insert(slot.name);
  for (const std::string& name : names)
    arguments.options[name] = flags.add_option("--" + name, arguments.parameters[name], described(name))
                                  ->type_name("V")
                                  ->group("Parameters of ops");
}

}  // namespace

Action declare_ops(CLI::App& flags) {
  const auto arguments = std::make_shared<OpsArguments>();
  flags.add_option("ACTION", arguments->action, "'list' the ops, or 'run' one")->required();
  flags.add_option("OP", arguments->op, "its name; with 'list', everything about it");
  flags.add_flag("--json", arguments->json, "with 'list': all of it, for programs");
  flags
      .add_option(
          "--in", arguments->in,
          "safetensors file: the inputs by name, and dy for a gradient (d<output> if there are several "
          "outputs; not needed where y is one number)")
      ->type_name("FILE");
  flags
      .add_option("--out", arguments->out, "safetensors file to write: outputs, and d<input> for a gradient")
      ->type_name("FILE");
  flags.add_flag("--grad", arguments->grad, "the gradient of every differentiable input as well");
  flags
      .add_option("--device", arguments->device,
                  "'cpu', 'cuda' (a GPU) or 'sim' (the kernels of cuda/ simulated on the CPU) [cpu]")
      ->type_name("NAME");
  flags
      .add_option("--dtype", arguments->dtype,
                  "convert floating inputs to f32, f64 or bf16 first [as they are in the file]")
      ->type_name("NAME");
  declare_parameters(flags, *arguments);
  flags.footer(
      "  limoe ops list\n"
      "  limoe ops list attention\n"
      "  limoe ops run attention --in a.safetensors --out b.safetensors --grad --heads 2 --sequences 8x17");
  return [arguments] { list_or_run(*arguments); };
}

}  // namespace limoe
