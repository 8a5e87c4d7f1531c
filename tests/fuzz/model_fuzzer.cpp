// SPDX-License-Identifier: Apache-2.0
// A model file by anybody, JSON or UBJSON: what is wrong is told; what passes
// holds what it promises, and libxgboost, which is given it, loads it or refuses,
// and scores. Models are mutated as documents.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/utf8.hpp"
#include "core/model/model_file.hpp"
#include "core/model/predictor.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/model_mutator.hpp"
#include "tests/fuzz/promises.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;

bool is_line(std::string_view text) {
    return is_valid_utf8(text) && std::none_of(text.begin(), text.end(),
                                               [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

void check_file(const ModelFile& model, const std::string& octets) {
    require(model.octets == octets, "the library is given what was read");
    require(model.trees > 0 && model.outputs > 0 && model.feature_count > 0, "a model has trees, features and outputs");
    require(model.feature_count <= kMostFeatures && model.outputs <= kMostClasses, "and not too many");
    require(model.outputs > 1 == (model.kind == ModelFile::Kind::kMulticlass), "only classes are several numbers");
    require(model.features.empty() || model.features.size() == model.feature_count, "all features have names or none");
    require(model.classes.empty() || model.classes.size() == model.class_count(), "all classes have names or none");
    require(model.rounds <= model.trees && model.trees % model.outputs == 0, "rounds are whole");
    for (const std::string& name : model.classes) require(is_line(name), "the name of a class is text");
}

// It works in this thread, as in a meter's.
void check_scores(const ModelFile& model) {
    const auto predictor = Predictor::load(model);
    if (!predictor) return require(!predictor.error().message.empty(), "a refusal has a reason");
    constexpr std::size_t kRows = 3;
    std::vector<float> rows;
    for (std::size_t i = 0; i < kRows * model.feature_count; ++i)
        rows.push_back(i % 4 == 3 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(i % 7) - 2);
    const auto scores = [&] {
        const auto given = predictor.value()->predict(rows.data(), kRows);
        require(given.has_value(), "what has scored once scores again");
        require(given.value().size() == kRows * model.outputs, "there is a score for each row and output");
        return std::vector<float>(given.value().begin(), given.value().end());
    };
    const auto first = scores(), second = scores();
    require(std::memcmp(first.data(), second.data(), first.size() * sizeof(float)) == 0, "scores are the same again");
    if (model.kind == ModelFile::Kind::kBinary)
        for (const float score : first)
            require(std::isnan(score) || (score >= 0 && score <= 1), "a probability is one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    const std::string octets(reinterpret_cast<const char*>(input), size);
    const fuzz::MemoryFile file({input, size});
    const auto model = read_model_file(file.path());
    if (!model) {
        require(!model.error().message.empty(), "a refusal has a reason");
        require(is_line(model.error().message), "a reason is a line of text");
        return 0;
    }
    check_file(model.value(), octets);
    check_scores(model.value());
    return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    auto model = seed % 8 == 0 ? std::nullopt : fuzz::JsonValue::read({reinterpret_cast<const char*>(data), size});
    if (!model) return LLVMFuzzerMutate(data, size, max_size);
    fuzz::ModelMutator mutator(seed);
    mutator.mutate(*model);
    const std::string out = seed % 8 < 3 ? mutator.ubjson(*model) : model->json();
    if (out.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
    std::copy(out.begin(), out.end(), data);
    return out.size();
}
