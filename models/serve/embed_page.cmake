# cmake -D PAGE=page.html -D OUT=page.cpp -P embed_page.cmake: the page as a C++ string.
file(READ ${PAGE} page)
file(WRITE ${OUT} "// Written by models/serve/embed_page.cmake.
#include \"models/serve/page.h\"

namespace limoe {

const std::string_view kPage = R\"page~(${page})page~\";

}  // namespace limoe
")
