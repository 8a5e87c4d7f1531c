// SPDX-License-Identifier: Apache-2.0
// In place of model_file.cpp and xgboost_predictor.cpp in a build without models.
#include "core/model/model_file.hpp"
#include "core/model/predictor.hpp"

namespace nfstreamd {
namespace {

Error absent(const std::string& path) {
    return {ErrorCode::kUnavailable, "this nfstreamd is built without models (NFSTREAMD_WITH_XGBOOST)", path};
}

}  // namespace

Result<ModelFile> read_model_file(const std::string& path) {
    return absent(path);
}

Result<ModelFile> parse_model(std::string, const std::string& path) {
    return absent(path);
}

Result<std::unique_ptr<Predictor>> Predictor::load(const ModelFile& model) {
    return absent(model.path);
}

std::string xgboost_version() {
    return "not built in";
}

}  // namespace nfstreamd
