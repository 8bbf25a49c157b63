# -DPORTABLE=ON: `limoe` and `limoe_bench` for every x86-64 processor. All is compiled for the lowest level, and the floors
# that compute again for the higher ones. For each level the objects of a program are joined into one, of which only main()
# can be seen from outside, under a name of its own: so the linker never takes an inline function or a template of one
# level for another's. models/portable/main.cpp calls one of them. No source knows of it.
#
# models/, cuda/ and bench/ are compiled once and joined to each level: they call ops, or a GPU, and none of them sees
# anything whose layout a level decides (tests/layering_test.cpp).
set(levels x86-64 x86-64-v3 x86-64-v4)

# Adds the object library `again`: what `target` is made of, compiled for `level`.
function(compile_again again target level)
  set(LIMOE_LEVEL ${level})
  get_target_property(sources ${target} SOURCES)
  add_library(${again} OBJECT ${sources})
  foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS INCLUDE_DIRECTORIES LINK_LIBRARIES)
    get_target_property(value ${target} ${property})
    if(value)
      set_target_properties(${again} PROPERTIES ${property} "${value}")
    endif()
  endforeach()
  add_dependencies(${again} ${target})  # so that a source which the build writes is written once
endfunction()

# Adds the program `name` of the object libraries in ARGN, one of which has a main(). Those that were compiled again, as
# <library>_<level>, are taken at their level, the others as they are in each. The first of several copies of an inline
# function stays, so what was compiled again comes first.
function(add_portable_program name)
  add_executable(${name} models/portable/main.cpp)
  foreach(level ${levels})
    set(objects "")
    foreach(part ${ARGN})
      if(TARGET ${part}_${level})
        list(APPEND objects $<TARGET_OBJECTS:${part}_${level}>)
      else()
        list(APPEND objects $<TARGET_OBJECTS:${part}>)
      endif()
    endforeach()
    set(joined ${CMAKE_BINARY_DIR}/${name}-${level}.o)
    file(GENERATE OUTPUT ${joined}.list CONTENT "\"$<JOIN:${objects},\"\n\">\"\n")
    string(REPLACE "-" "_" suffix ${level})
    set(join ${CMAKE_SOURCE_DIR}/models/portable/join.cmake)
    add_custom_command(OUTPUT ${joined} DEPENDS ${objects} ${joined}.list ${join} VERBATIM
      COMMAND ${CMAKE_COMMAND} -D LINKER=${CMAKE_LINKER} -D OBJCOPY=${CMAKE_OBJCOPY} -D READELF=${CMAKE_READELF} -D NM=${CMAKE_NM}
                               -D LIST=${joined}.list -D OUT=${joined} -D SUFFIX=${suffix} -P ${join}
      COMMENT "Joining ${name} at ${level}")
    set_source_files_properties(${joined} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    target_sources(${name} PRIVATE ${joined})
  endforeach()
endfunction()

set(levelled limoe_tensor limoe_autograd limoe_ops limoe_data)
foreach(target ${levelled})
  foreach(level x86-64-v3 x86-64-v4)
    compile_again(${target}_${level} ${target} ${level})
  endforeach()
endforeach()

# What the floors are linked with, without their objects.
add_library(limoe_libraries INTERFACE)
target_link_libraries(limoe_libraries INTERFACE ${levelled} limoe_models limoe_cuda)

add_library(limoe_main OBJECT models/cli/main.cpp)
target_link_libraries(limoe_main PRIVATE limoe_options)
add_portable_program(limoe ${levelled} limoe_models limoe_cuda limoe_main)
target_link_libraries(limoe PRIVATE limoe_libraries)
if(benchmark_FOUND)
  add_library(limoe_bench_main OBJECT bench/main.cpp bench/support/table_reporter.cpp)
  target_link_libraries(limoe_bench_main PRIVATE limoe_options benchmark::benchmark)
  add_portable_program(limoe_bench ${levelled} limoe_models limoe_cuda limoe_bench_cases limoe_bench_main)
  target_link_libraries(limoe_bench PRIVATE limoe_libraries benchmark::benchmark)
endif()
