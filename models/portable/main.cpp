// main() of the portable programs: the whole program lies in them once for each x86-64 level, and this runs
// the highest that the processor has, or the one that the environment's LIMOE_LEVEL names. Exit status 2 if
// that is no level, or one that the processor lacks.
//
// A level's code must not run before it is chosen, its static constructors neither: portable.cmake has moved
// them to a section of their own, out of what the loader runs. This file is compiled for the lowest level.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

using Constructor = void (*)(int, char**, char**);

// The names that portable.cmake gives to a level's main(), and the linker to the ends of a section.
extern "C" {
int limoe_main_x86_64(int, char**);
int limoe_main_x86_64_v3(int, char**);
int limoe_main_x86_64_v4(int, char**);
extern const Constructor __start_limoe_init_x86_64[], __stop_limoe_init_x86_64[];
extern const Constructor __start_limoe_init_x86_64_v3[], __stop_limoe_init_x86_64_v3[];
extern const Constructor __start_limoe_init_x86_64_v4[], __stop_limoe_init_x86_64_v4[];

extern const char* limoe_level_choice;  // read by tensor/cpu_level.cpp
const char* limoe_level_choice = "chosen for this processor among x86-64, x86-64-v3 and x86-64-v4";
}

namespace {

struct Level {
  const char* name;
  bool runs_here;
  const Constructor *first_constructor, *constructors_end;
  int (*main)(int, char**);
};

int refuse(const char* wish, const char* expected) {
  std::fprintf(stderr, "limoe: LIMOE_LEVEL: is \"%s\"; expected %s\n", wish, expected);
  return 2;
}

}  // namespace

int main(int argc, char** argv, char** environment) {
  // The compiler knows what each level consists of; what the system does not save for a program does not
  // count.
  const Level levels[] = {
      {"x86-64-v4", __builtin_cpu_supports("x86-64-v4") != 0, __start_limoe_init_x86_64_v4,
       __stop_limoe_init_x86_64_v4, limoe_main_x86_64_v4},
      {"x86-64-v3", __builtin_cpu_supports("x86-64-v3") != 0, __start_limoe_init_x86_64_v3,
       __stop_limoe_init_x86_64_v3, limoe_main_x86_64_v3},
      {"x86-64", true, __start_limoe_init_x86_64, __stop_limoe_init_x86_64, limoe_main_x86_64},
  };
  const Level* highest = levels;
  while (!highest->runs_here) ++highest;

  const Level* chosen = highest;
  if (const char* const wish = std::getenv("LIMOE_LEVEL")) {
    chosen = nullptr;
    for (const Level& level : levels)
      if (std::strcmp(level.name, wish) == 0) chosen = &level;
    if (!chosen) return refuse(wish, "x86-64, x86-64-v3 or x86-64-v4");
    if (!chosen->runs_here)
      return refuse(wish, (std::string(highest->name) + " at most, for this processor has no more").c_str());
    limoe_level_choice = "as LIMOE_LEVEL says, of x86-64, x86-64-v3 and x86-64-v4";
  }
  for (const Constructor* construct = chosen->first_constructor; construct != chosen->constructors_end;
       ++construct)
    (*construct)(argc, argv, environment);
  return chosen->main(argc, argv);
}
