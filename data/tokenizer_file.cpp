#include "data/tokenizer_file.h"

#include <fstream>
#include <iterator>

#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {

std::string read_tokenizer_file(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path))
    throw FileError(
        path.string(),
        ": no such file; expected \"bytes\" or a tokenizer file (a SentencePiece .model, CLIP's merges)");
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || content.empty())
    throw FileError(path.string(), ": ", file ? "the file is empty" : "the file cannot be read",
                    "; expected a tokenizer file (a SentencePiece .model, CLIP's merges)");
  return content;
}

void write_tokenizer_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path.string());
  file.write(content.data(), content.size());
  file.commit();
}

}  // namespace limoe
