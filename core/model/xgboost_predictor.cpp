// SPDX-License-Identifier: Apache-2.0
// The only file that sees libxgboost, which it finds at run time: by its C
// interface, whose functions throw nothing.
#include <dlfcn.h>
#include <fmt/format.h>
#include <xgboost/c_api.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "core/model/predictor.hpp"
#include "core/plugin/plugin_text.hpp"

namespace nfstreamd {
namespace {

struct Library {
    decltype(&::XGBoostVersion) version = nullptr;
    decltype(&::XGBGetLastError) last_error = nullptr;
    decltype(&::XGBoosterCreate) create = nullptr;
    decltype(&::XGBoosterFree) free = nullptr;
    decltype(&::XGBoosterSetParam) set_param = nullptr;
    decltype(&::XGBoosterLoadModelFromBuffer) load = nullptr;
    decltype(&::XGBoosterPredictFromDense) predict = nullptr;
    void (*set_threads)(int) = nullptr;  // OpenMP's omp_set_num_threads() for the thread that calls; null: has none
};

template <class Function>
bool find(void* object, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(object, name));
    return function != nullptr;
}

// It stays to the end of the process: threads of its own runtime (OpenMP) may be in it.
Result<Library> open_library() {
    constexpr const char* kName = NFSTREAMD_XGBOOST_SONAME;
    void* object = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
    if (object == nullptr) {
        const char* why = ::dlerror();
        return Error{
            ErrorCode::kUnavailable,
            fmt::format("models need libxgboost, which cannot be loaded ({}): install it (Debian: libxgboost0)",
                        why != nullptr ? why : kName),
            ""};
    }
    Library library;
    const bool complete =
        find(object, "XGBoostVersion", library.version) && find(object, "XGBGetLastError", library.last_error) &&
        find(object, "XGBoosterCreate", library.create) && find(object, "XGBoosterFree", library.free) &&
        find(object, "XGBoosterSetParam", library.set_param) &&
        find(object, "XGBoosterLoadModelFromBuffer", library.load) &&
        find(object, "XGBoosterPredictFromDense", library.predict);
    if (!complete)
        return Error{ErrorCode::kUnavailable, fmt::format("{} is older than 1.6, the first that models need", kName),
                     ""};
    find(object, "omp_set_num_threads", library.set_threads);
    return library;
}

const Result<Library>& library() {
    static const Result<Library> opened = open_library();
    return opened;
}

// Its texts have lines of a stack trace behind the first.
Error library_error(const Library& library, const std::string& where) {
    const std::string_view text = library.last_error();
    // "[12:00:00] file:line: what"
    const std::string_view line = text.substr(0, text.find('\n'));
    return {ErrorCode::kInvalidArgument, fmt::format("libxgboost: {}", plugin_text(line)), where};
}

class Booster final : public Predictor {
public:
    Booster(const Library& library, const ModelFile& model)
        : library_(library), features_(model.feature_count), outputs_(model.outputs), path_(model.path) {
        fmt::format_to(std::back_inserter(settings_),
                       R"({{"type":{},"training":false,"iteration_begin":0,"iteration_end":{},)"
                       R"("strict_shape":true,"cache_id":0,"missing":NaN}})",
                       model.gives_margins ? 1 : 0, model.rounds);
    }
    ~Booster() override {
        if (booster_ != nullptr) library_.free(booster_);
    }

    Status load(const ModelFile& model) {
        // the thread that asks does the work, one of several; nthread is forgotten by some steps of loading
        if (library_.set_threads != nullptr) library_.set_threads(1);
        const std::pair<const char*, const char*> parameters[]{{"nthread", "1"}, {"verbosity", "0"}};
        if (library_.create(nullptr, 0, &booster_) != 0) return error();
        for (const auto& [name, value] : parameters)
            if (library_.set_param(booster_, name, value) != 0) return error();
        if (library_.load(booster_, model.octets.data(), model.octets.size()) != 0) return error();
        for (const auto& [name, value] : parameters)
            if (library_.set_param(booster_, name, value) != 0) return error();
        // what it finds wrong with a model it says when it is asked for the first time
        const std::vector<float> row(features_, std::numeric_limits<float>::quiet_NaN());
        auto tried = predict(row.data(), 1);
        return tried ? ok() : Status(tried.error());
    }

    Result<std::span<const float>> predict(const float* rows, std::size_t count) override {
        array_.clear();
        fmt::format_to(std::back_inserter(array_),
                       R"({{"data":[{},true],"shape":[{},{}],"typestr":"<f4","version":3}})",
                       reinterpret_cast<std::uintptr_t>(rows), count, features_);
        const bst_ulong* shape = nullptr;
        bst_ulong dimensions = 0;
        const float* values = nullptr;
        if (library_.predict(booster_, array_.c_str(), settings_.c_str(), nullptr, &shape, &dimensions, &values) != 0)
            return error();
        std::size_t size = 1;
        for (bst_ulong i = 0; i < dimensions; ++i) size *= shape[i];
        if (size != count * outputs_ || values == nullptr)
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("libxgboost gives {} numbers for {} flows, not {} for each", size, count, outputs_), path_};
        return std::span<const float>(values, size);
    }

private:
    Error error() const { return library_error(library_, path_); }

    const Library& library_;
    const std::size_t features_, outputs_;
    const std::string path_;
    std::string settings_, array_;
    BoosterHandle booster_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Predictor>> Predictor::load(const ModelFile& model) {
    const auto& opened = library();
    if (!opened) return opened.error();
    auto booster = std::make_unique<Booster>(opened.value(), model);
    if (auto status = booster->load(model); !status) return status.error();
    return std::unique_ptr<Predictor>(std::move(booster));
}

std::string xgboost_version() {
    const auto& opened = library();
    if (!opened) return "not installed";
    int major = 0, minor = 0, patch = 0;
    opened.value().version(&major, &minor, &patch);
    return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace nfstreamd
