// SPDX-License-Identifier: Apache-2.0
#include "daemon/models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "core/metering/field_groups.hpp"
#include "core/model/flow_model.hpp"
#include "daemon/assembly.hpp"
#include "daemon/plugins.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::chrono::microseconds kLiveTimeBudget{250};

ModelOptions options_of(const config::ModelConfig& from, bool live, std::size_t index,
                        std::vector<config::ConfigError>& errors) {
    ModelOptions to{
        .name = from.name,
        .path = from.path,
        .shadow = from.shadow,
        .after_packets = from.after_packets,
        .features = from.features,
        .classes = from.classes,
        .elements = configured_elements(from.elements, from.where, fmt::format("models[{}].elements", index), errors),
        .time_budget = {}};
    if (from.time_budget_us)
        to.time_budget = std::chrono::microseconds(*from.time_budget_us);
    else if (live && !from.has_no_time_budget)
        to.time_budget = kLiveTimeBudget;
    return to;
}

std::vector<std::shared_ptr<FlowModel>> models_of(const config::Config& config) {
    std::vector<std::shared_ptr<FlowModel>> models;
    for (const auto& extension : config.metering.extensions)
        if (auto model = std::dynamic_pointer_cast<FlowModel>(extension)) models.push_back(std::move(model));
    return models;
}

}  // namespace

void load_models(config::Config& config, std::vector<config::ConfigError>& errors) {
    const bool live = !is_file_run(config);
    const FieldSelection of_plugins = field_groups(config.metering).declared;
    for (std::size_t i = 0; i < config.models.size(); ++i) {
        const config::ModelConfig& entry = config.models[i];
        const std::string key = fmt::format("models[{}]", i);
        auto model = FlowModel::load(options_of(entry, live, i, errors), of_plugins);
        if (!model) {
            errors.push_back({entry.where, key, model.error().text()});
            continue;
        }
        if (const auto status = model.value()->check(config.metering); !status)
            errors.push_back({entry.where, key, status.error().text()});
        config.metering.extensions.push_back(std::move(model.value()));
    }
}

bool models_differ(const config::Config& running, const config::Config& wanted) {
    const auto before = models_of(running), after = models_of(wanted);
    return !std::equal(before.begin(), before.end(), after.begin(), after.end(),
                       [](const auto& a, const auto& b) { return a == b || a->same_as(*b); });
}

void keep_models(const config::Config& running, config::Config& wanted) {
    const auto before = models_of(running);
    for (auto& extension : wanted.metering.extensions)
        if (const auto model = std::dynamic_pointer_cast<FlowModel>(extension))
            for (const auto& former : before)
                if (former->same_as(*model)) extension = former;
}

Status check_models(const config::Config& config) {
    for (const auto& model : models_of(config))
        if (auto status = model->check(config.metering); !status)
            return Error{status.error().code, status.error().message + " (a change of it takes a restart)",
                         status.error().where};
    return ok();
}

}  // namespace nfstreamd::daemon
