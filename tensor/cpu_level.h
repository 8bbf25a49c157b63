// The x86-64 level that the running code is compiled for.
//
// An ordinary program has one, its build's. The portable one (-DPORTABLE=ON) has three and takes the highest
// that the processor has, or the one that LIMOE_LEVEL names (models/portable/main.cpp).
#pragma once

#include <string>

namespace limoe {

// "x86-64-v4"; the architecture's name where that is not x86-64.
std::string cpu_level();

// In the portable program also who chose: "x86-64-v4, chosen for this processor among x86-64, x86-64-v3 and
// x86-64-v4". Elsewhere cpu_level().
std::string cpu_level_in_words();

// Throws UsageError if LIMOE_LEVEL is set and names another level than the running one: nothing here could
// follow it. The portable program has chosen by it before, so there it is always followed.
void expect_level_of_environment();

}  // namespace limoe
