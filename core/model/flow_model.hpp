// SPDX-License-Identifier: Apache-2.0
// A model of the configuration: its files, what they take of a record, the
// fields it fills; makes an instance for each metering process. Control thread,
// but for status().
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/metering/flow_extension.hpp"
#include "core/metering/metering_options.hpp"
#include "core/model/feature_vector.hpp"
#include "core/model/model_counters.hpp"
#include "core/model/model_file.hpp"
#include "core/model/model_options.hpp"

namespace nfstreamd {

// A file and what it takes. Const, shared by the instances.
struct LoadedModel {
    ModelFile file;
    FeatureVector features;
};

// The fields that a model fills; null: has none of that.
struct ModelFields {
    const InformationElement *class_name = nullptr, *probability = nullptr, *value = nullptr;
};

class FlowModel final : public FlowExtension {
public:
    // Reads the files, and has the library try them. `before`: fields of the plugins, which may be features.
    static Result<std::shared_ptr<FlowModel>> load(ModelOptions options, const FieldSelection& before);

    std::string_view name() const noexcept override { return options_.name; }
    const FieldSelection& fields() const noexcept override { return fields_; }
    Result<std::unique_ptr<FlowHook>> make_hook(const std::string& meter, Logger& logger) override;
    FlowExtensionStatus status() const override;

    // Whether meters with these options fill what it takes.
    Status check(const MeteringOptions& options) const;
    // The same options, files and fields: it may stay in place of the other.
    bool same_as(const FlowModel& other) const;

private:
    explicit FlowModel(ModelOptions options) : options_(std::move(options)) {}
    Result<std::shared_ptr<const LoadedModel>> read(const std::string& path, const FieldSelection& before) const;
    Status name_classes();
    Status declare();
    Result<const InformationElement*> declare(const char* suffix, IeType type, std::string description) const;

    const ModelOptions options_;
    const std::shared_ptr<ModelCounters> counters_ = std::make_shared<ModelCounters>();
    std::shared_ptr<const LoadedModel> model_, shadow_;  // shadow null: none
    std::shared_ptr<const std::vector<std::string>> classes_;
    ModelFields own_;
    FieldSelection fields_;
};

}  // namespace nfstreamd
