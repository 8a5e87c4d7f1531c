// SPDX-License-Identifier: Apache-2.0
#include "core/model/flow_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/model/model_hook.hpp"
#include "core/model/predictor.hpp"
#include "core/record/declared_fields.hpp"

namespace nfstreamd {
namespace {

Error in_file(const Error& error, const std::string& path) {
    return {error.code, error.message, path};
}

}  // namespace

Result<std::shared_ptr<FlowModel>> FlowModel::load(ModelOptions options, const FieldSelection& before) {
    std::shared_ptr<FlowModel> model(new FlowModel(std::move(options)));
    auto loaded = model->read(model->options_.path, before);
    if (!loaded) return loaded.error();
    model->model_ = std::move(loaded.value());
    if (!model->options_.shadow.empty()) {
        auto shadow = model->read(model->options_.shadow, before);
        if (!shadow) return shadow.error();
        model->shadow_ = std::move(shadow.value());
        if (model->shadow_->file.class_count() != model->model_->file.class_count())
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("cannot be compared with {}: {} classes beside {} (0: a number)", model->options_.path,
                            model->shadow_->file.class_count(), model->model_->file.class_count()),
                model->options_.shadow};
    }
    if (auto status = model->name_classes(); !status) return status.error();
    if (auto status = model->declare(); !status) return status.error();
    return model;
}

Result<std::shared_ptr<const LoadedModel>> FlowModel::read(const std::string& path,
                                                           const FieldSelection& before) const {
    auto file = read_model_file(path);
    if (!file) return file.error();
    const auto& names = options_.features.empty() ? file.value().features : options_.features;
    if (names.empty())
        return Error{ErrorCode::kInvalidArgument,
                     "names no features: train it with a DataFrame, or name them in `features`, in its order", path};
    if (names.size() != file.value().feature_count)
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("takes {} features, `features` names {}", file.value().feature_count, names.size()),
                     path};
    auto features = FeatureVector::of(names, before);
    if (!features) return in_file(features.error(), path);
    if (const auto tried = Predictor::load(file.value()); !tried) return tried.error();
    return std::make_shared<const LoadedModel>(LoadedModel{std::move(file.value()), std::move(features.value())});
}

Status FlowModel::name_classes() {
    const std::size_t count = model_->file.class_count();
    std::vector<std::string> names = options_.classes.empty() ? model_->file.classes : options_.classes;
    if (!options_.classes.empty() && names.size() != count)
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("has {} classes, `classes` names {}", count, names.size()), options_.path};
    if (const std::set<std::string> distinct(names.begin(), names.end()); distinct.size() != names.size())
        return Error{ErrorCode::kInvalidArgument, "two of its classes have the same name", options_.path};
    for (std::size_t i = names.size(); i < count; ++i) names.push_back(fmt::format("{}", i));
    classes_ = std::make_shared<const std::vector<std::string>>(std::move(names));
    return ok();
}

Result<const InformationElement*> FlowModel::declare(const char* suffix, IeType type, std::string description) const {
    FieldDeclaration field{
        .column = fmt::format("{}_{}", options_.name, suffix), .type = type, .description = std::move(description)};
    const auto configured = std::find_if(options_.elements.begin(), options_.elements.end(), [&](const auto& element) {
        return element.field == suffix || element.field == field.column;
    });
    if (configured != options_.elements.end()) field.ie = configured->ie;
    return declare_field(field);
}

Status FlowModel::declare() {
    struct Row {
        const char* suffix;
        IeType type;
        std::string description;
        const InformationElement** field;
    };
    const bool is_number = model_->file.kind == ModelFile::Kind::kNumber;
    const std::vector<Row> rows =
        is_number
            ? std::vector<Row>{{"value", IeType::kFloat64,
                                fmt::format("What the model {} gives for the flow.", options_.name), &own_.value}}
            : std::vector<Row>{{"class", IeType::kString,
                                fmt::format("Class that the model {} finds most probable for the flow.", options_.name),
                                &own_.class_name},
                               {"probability", IeType::kFloat64, fmt::format("Probability of {}_class.", options_.name),
                                &own_.probability}};
    for (const ConfiguredElement& element : options_.elements)
        if (std::none_of(rows.begin(), rows.end(), [&](const Row& row) {
                return element.field == row.suffix || element.field == fmt::format("{}_{}", options_.name, row.suffix);
            }))
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("`elements` names a field \"{}\" that this model does not have", element.field),
                         ""};
    for (const Row& row : rows) {
        const auto declared = declare(row.suffix, row.type, row.description);
        if (!declared) return declared.error();
        *row.field = declared.value();
        fields_.push_back(declared.value());
    }
    return ok();
}

Result<std::unique_ptr<FlowHook>> FlowModel::make_hook(const std::string& meter, Logger& logger) {
    auto predictor = Predictor::load(model_->file);
    if (!predictor) return predictor.error();
    std::unique_ptr<Predictor> shadow;
    if (shadow_ != nullptr) {
        auto loaded = Predictor::load(shadow_->file);
        if (!loaded) return loaded.error();
        shadow = std::move(loaded.value());
    }
    return std::unique_ptr<FlowHook>(std::make_unique<ModelHook>(
        options_, ModelHook::Parts{model_, shadow_, std::move(predictor.value()), std::move(shadow), classes_, own_},
        meter, counters_, logger));
}

Status FlowModel::check(const MeteringOptions& options) const {
    for (const auto& loaded : {model_, shadow_})
        if (loaded != nullptr)
            if (const auto status = loaded->features.check(options); !status)
                return in_file(status.error(), loaded->file.path);
    return ok();
}

bool FlowModel::same_as(const FlowModel& other) const {
    const auto same = [](const auto& a, const auto& b) {
        return (a == nullptr) == (b == nullptr) &&
               (a == nullptr || (a->file.octets == b->file.octets && a->features == b->features));
    };
    return options_ == other.options_ && fields_ == other.fields_ && same(model_, other.model_) &&
           same(shadow_, other.shadow_);
}

FlowExtensionStatus FlowModel::status() const {
    FlowExtensionStatus status = counters_->status();
    ScoreStatus& scores = status.scores.emplace();
    scores = {.path = options_.path,
              .objective = model_->file.objective,
              .features = model_->features.size(),
              .scored = counters_->scored.load(),
              .early = counters_->early.load(),
              .unscored = counters_->unscored.load(),
              .shadow = {}};
    status.flows = scores.scored + scores.unscored;
    if (shadow_ == nullptr) return status;
    const auto compared = counters_->compared.load();
    scores.shadow = {
        .path = options_.shadow,
        .disabled = counters_->shadows_disabled.load(),
        .compared = compared,
        .agreed = counters_->agreed.load(),
        .mean_difference = compared == 0 ? 0 : counters_->difference.load() / static_cast<double>(compared)};
    return status;
}

}  // namespace nfstreamd
