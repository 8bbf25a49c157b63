# Joins the object files named in LIST into OUT, all of whose symbols are its own but main(), now limoe_main_SUFFIX, and
# whose static constructors lie in limoe_init_SUFFIX, where the loader does not look for them.
function(run)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE said RESULT_VARIABLE status)
  if(status)
    message(FATAL_ERROR "${OUT}: ${ARGV0} failed (${status})")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

# Groups are settled here: of an inline function that many files have, one stays.
run(${LINKER} -r --force-group-allocation -o ${OUT}.whole @${LIST})

# What else runs before main() would run on any processor.
run(${READELF} -SW ${OUT}.whole)
string(REGEX MATCH "\\.(init_array\\.|preinit_array|fini_array|ctors|dtors)[^ ]*" early "${said}")
if(early)
  message(FATAL_ERROR "${OUT}: has a section ${early}; expected constructors without a priority and no destructors, "
                      "for only these can wait until a level is chosen")
endif()

# g++ makes the variables of inline functions unique symbols, one in a process whatever holds them. Made weak, they become
# local as others do. Only those: a function of a library must not become one that may be missing.
run(${NM} --defined-only ${OUT}.whole)
string(REGEX MATCHALL " u [^\n]+" unique "${said}")
list(TRANSFORM unique REPLACE "^ u (.*)$" "\\1\n")
if(unique)  # objcopy refuses an empty list
  file(WRITE ${OUT}.unique ${unique})
  run(${OBJCOPY} --weaken-symbols=${OUT}.unique ${OUT}.whole)
endif()
run(${OBJCOPY} --redefine-sym main=limoe_main_${SUFFIX} --keep-global-symbol=limoe_main_${SUFFIX}
               --rename-section .init_array=limoe_init_${SUFFIX} ${OUT}.whole ${OUT})
file(REMOVE ${OUT}.whole ${OUT}.unique)
