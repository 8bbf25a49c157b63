// Which tar files a data source means.
//
//   DIR                     every *.tar in the folder, 2.tar before 10.tar; as many as its nshards.txt says,
//                           if there is one
//   FILE.tar                that one
//   DIR/{000..012}.tar      a range, zero-padded as its first number is; {a,b} lists alternatives
//   SOURCE::SOURCE          several, one after another
//
// FileError when a source names nothing: it says what was looked for and what was found there instead.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

std::vector<std::string> find_shards(const std::string& source);

// CLIP_benchmark's layout keeps the shards in DIR/test: that folder, where DIR itself holds no shard and it
// does; otherwise the source as it is.
std::string evaluation_source(const std::string& source);

// The parts of SOURCE::SOURCE, none empty.
std::vector<std::string> split_sources(const std::string& source);

// "a{1..3}" -> a1 a2 a3. Every pair of braces is expanded, the leftmost varying slowest.
// FileError for braces that are not closed, and for names that take more memory than `most_bytes`: the
// default is enough for some 250,000 of them with long paths.
std::vector<std::string> expand_braces(const std::string& pattern, int64_t most_bytes = 24'000'000);

}  // namespace limoe
