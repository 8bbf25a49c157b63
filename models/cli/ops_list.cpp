#include "models/cli/ops_list.h"

#include <nlohmann/json.hpp>

#include "models/cli/table.h"
#include "ops/op_table.h"

namespace limoe {
namespace {

using nlohmann::ordered_json;

bool is_integer(const InputSlot& slot) {
  return slot.kind == InputKind::integer;
}

std::string name_in_file(const InputSlot& slot) {
  return slot.repeated ? slot.name + "0, " + slot.name + "1, ..." : slot.name;
}

// Inputs, and the parameters that have no default.
std::string takes(const OpSignature& op) {
  std::string text;
  for (const InputSlot& slot : op.inputs) {
    const std::string name = slot.optional ? "[" + name_in_file(slot) + "]" : name_in_file(slot);
    text += (text.empty() ? "" : ", ") + name;
  }
  for (const ParameterSlot& slot : op.parameters)
    if (slot.standard.empty()) text += " --" + slot.name;
  return text;
}

std::string kind_of(const InputSlot& slot) {
  std::string text = is_integer(slot) ? "i32" : "floating";
  if (slot.kind == InputKind::constant) text += ", no gradient";
  return slot.optional ? text + ", optional" : text;
}

}  // namespace

std::string table_of_ops() {
  Table table({Align::left, Align::left, Align::left});
  table.heading({"op", "takes", "gives"});
  for (const OpSignature& op : op_signatures()) table.row({op.name, takes(op), op.summary});
  return table.text();
}

std::string page_of_op(const OpSignature& op) {
  Table table({Align::left, Align::left, Align::left, Align::left});
  table.heading({"Inputs", "shape", "", ""});
  for (const InputSlot& slot : op.inputs)
    table.row({"  " + name_in_file(slot), slot.shape, kind_of(slot), slot.meaning});
  table.heading({"Outputs", "shape", "", ""});
  for (const OutputSlot& slot : op.outputs) table.row({"  " + slot.name, slot.shape, "", slot.meaning});
  if (!op.parameters.empty()) table.heading({"Parameters", "default", "", ""});
  for (const ParameterSlot& slot : op.parameters)
    table.row(
        {"  --" + slot.name, slot.standard.empty() ? "-" : slot.standard, name_of(slot.type), slot.meaning});
  return op.name + ": " + op.summary + "\n" + table.text();
}

std::string json_of_ops() {
  ordered_json all = ordered_json::array();
  for (const OpSignature& op : op_signatures()) {
    ordered_json inputs = ordered_json::array(), outputs = ordered_json::array(),
                 parameters = ordered_json::array();
    for (const InputSlot& slot : op.inputs)
      inputs.push_back({{"name", slot.name},
                        {"shape", slot.shape},
                        {"meaning", slot.meaning},
                        {"dtype", is_integer(slot) ? "i32" : "floating"},
                        {"differentiable", slot.kind == InputKind::differentiable},
                        {"optional", slot.optional},
                        {"repeated", slot.repeated}});
    for (const OutputSlot& slot : op.outputs)
      outputs.push_back({{"name", slot.name}, {"shape", slot.shape}, {"meaning", slot.meaning}});
    for (const ParameterSlot& slot : op.parameters)
      parameters.push_back(
          {{"name", slot.name},
           {"type", name_of(slot.type)},
           {"meaning", slot.meaning},
           {"default", slot.standard.empty() ? ordered_json(nullptr) : ordered_json(slot.standard)}});
    all.push_back({{"name", op.name},
                   {"summary", op.summary},
                   {"inputs", inputs},
                   {"outputs", outputs},
                   {"parameters", parameters}});
  }
  return all.dump(2) + "\n";
}

}  // namespace limoe
