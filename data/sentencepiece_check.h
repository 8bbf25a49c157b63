// A SentencePiece model from anywhere, checked before the library reads it: the library trusts a model, and a
// damaged one makes it read outside of its tables, end the program, or throw what it does not declare.
//
// What is held: the protocol buffer's structure; pieces that are not empty, without zero bytes, UTF-8 and
// with finite scores; user-defined pieces of which no more than 64 lie one inside the beginning of another;
// and the normaliser's table of characters (sentencepiece_charsmap.h). Whether the pieces make a model is
// left to the library, which says so.
#pragma once

#include <string>
#include <string_view>

namespace limoe {

// The model without its self-tests, which the library would run while it reads, in memory of a hundred times
// their size. FileError, beginning with `path`.
std::string checked_sentencepiece(const std::string& path, std::string_view model);

}  // namespace limoe
