// The JSON objects of site.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/serve/collection.h"

namespace limoe {

nlohmann::ordered_json info_json(const Collection& collection, const std::string& name,
                                 const std::string& version);
// {picture, score, caption, source}
nlohmann::ordered_json result_json(const Collection& collection, int64_t picture,
                                   const nlohmann::ordered_json& score);
// {pieces, words, layers}
nlohmann::ordered_json text_json(const Collection& collection, const TextExperts& view);
nlohmann::ordered_json picture_json(const Collection& collection, int64_t picture);
nlohmann::ordered_json expert_json(const Collection& collection, size_t layer, int64_t expert);

}  // namespace limoe
