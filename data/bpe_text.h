// What CLIP does to a text before it is cut into pieces (Radford et al. 2021, section 2.4).
//
//   clean_for_bpe   "A dog&#39;s\n TAIL " -> "a dog's tail": HTML escapes undone (twice, for texts that were
//                   escaped twice), curly quotes made straight, control characters left out, runs of white
//                   space one blank, none at the ends, lower case.
//   split_for_bpe   "it's 42!" -> it 's 4 2 !, the words of a cleaned text without white space: an English
//                   ending ('s 't 're 've 'm 'll 'd) where an apostrophe starts the word, a run of letters,
//                   one digit, or a run of anything else.
//
// The original mends text with the library ftfy and knows all of HTML's 2,231 names. Here, of ftfy, the quotes
// and control characters; of the names amp, lt, gt, quot, apos and nbsp. So text that was decoded wrongly stays
// wrong, full-width letters stay full-width, and accents that stand apart from their letters stay apart. The
// names of CLIP's two special tokens are text here. Bytes that are no UTF-8 are kept, as neither letters nor
// digits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace limoe {

std::string clean_for_bpe(std::string_view text);
std::vector<std::string_view> split_for_bpe(std::string_view cleaned);  // parts of `cleaned`

}  // namespace limoe
