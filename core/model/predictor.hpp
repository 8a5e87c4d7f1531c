// SPDX-License-Identifier: Apache-2.0
// A model in libxgboost's hands, for one metering thread: the library is loaded
// when the first model is, so that who uses none need not have it. Loaded and
// freed by the control thread, or after the metering thread has ended.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.hpp"
#include "core/model/model_file.hpp"

namespace nfstreamd {

class Predictor {
public:
    // Errors are the library's, or say that it is missing.
    static Result<std::unique_ptr<Predictor>> load(const ModelFile& model);
    virtual ~Predictor() = default;

    // Of `count` rows of as many numbers as the model has features, one after the other; a feature
    // that is missing is NaN. Gives `outputs` numbers for each row, good until the next call: probabilities,
    // margins or values. The error is the library's.
    virtual Result<std::span<const float>> predict(const float* rows, std::size_t count) = 0;
};

// "1.7.4", or why it cannot be loaded.
std::string xgboost_version();

}  // namespace nfstreamd
