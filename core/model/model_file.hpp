// SPDX-License-Identifier: Apache-2.0
// A trained model as XGBoost saves it, JSON or UBJSON, read and checked: a file
// that passes is a whole gradient boosted forest, so that the library is given
// nothing that it would read or run past the end of. Pure, but for the file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd {

struct ModelFile {
    enum class Kind : std::uint8_t { kBinary, kMulticlass, kNumber };

    std::string path;
    std::string octets;  // as they are in the file
    std::string objective;
    Kind kind = Kind::kNumber;
    bool gives_margins = false;         // multi:softmax: the library gives a class alone, its margins tell all
    std::uint32_t outputs = 1;          // for each flow: classes of kMulticlass
    std::uint32_t feature_count = 0;    //
    std::vector<std::string> features;  // names; empty: the file has none
    std::vector<std::string> classes;   // names; empty: the file has none
    std::uint32_t rounds = 0;           // that are used; 0: all
    std::size_t trees = 0;

    std::size_t class_count() const { return kind == Kind::kNumber ? 0 : kind == Kind::kBinary ? 2 : outputs; }
};

// Of a file, as much as that; and of what is in it.
inline constexpr std::size_t kMostModelOctets = std::size_t{128} << 20;
inline constexpr std::uint32_t kMostFeatures = 4096, kMostClasses = 1024;

Result<ModelFile> read_model_file(const std::string& path);
Result<ModelFile> parse_model(std::string octets, const std::string& path);

}  // namespace nfstreamd
