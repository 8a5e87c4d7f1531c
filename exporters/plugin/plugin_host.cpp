// SPDX-License-Identifier: Apache-2.0
#include "exporters/plugin/plugin_host.hpp"

#include "core/plugin/plugin_text.hpp"
#include "exporters/plugin/plugin_batch.hpp"

namespace nfstreamd::exporters {

PluginHost::PluginHost(std::string name, PluginSettings settings, const FieldSelection& fields,
                       const FieldGroups& groups, std::uint32_t pen, Logger& logger)
    : name_(std::move(name)), settings_(std::move(settings)), logger_(logger) {
    texts_.reserve(fields.size());  // c_str() of short texts moves with them
    for (const InformationElement* field : fields) {
        const FieldTexts& texts =
            texts_.emplace_back(FieldTexts{std::string(field->column), std::string(field->name),
                                           std::string(field->units), std::string(field->description)});
        const IeId v4 = ipfix_element(*field, 4, groups, pen), v6 = ipfix_element(*field, 6, groups, pen);
        fields_.push_back({.size = sizeof(nfstreamd_field),
                           .type = plugin_type_of(*field),
                           .column = texts.column.c_str(),
                           .element = texts.element.c_str(),
                           .enterprise = v4.id != 0 ? v4.pen : v6.pen,
                           .element_id = v4.id,
                           .element_id_v6 = v6.id,
                           .units = texts.units.c_str(),
                           .description = texts.description.c_str()});
    }
    for (const auto& [key, value] : settings_) c_settings_.push_back({key.c_str(), value.c_str()});
    for (const auto& field : fields_) field_pointers_.push_back(&field);
    for (const auto& setting : c_settings_) setting_pointers_.push_back(&setting);
    outside_ = {.host = {.abi = NFSTREAMD_EXPORTER_ABI,
                         .size = sizeof(nfstreamd_host),
                         .name = name_.c_str(),
                         .fields = field_pointers_.size(),
                         .settings = setting_pointers_.size(),
                         .field = field_pointers_.data(),
                         .setting = setting_pointers_.data(),
                         .log = &PluginHost::log},
                .inside = this};
}

void PluginHost::log(const nfstreamd_host* host, std::uint32_t level, const char* message) {
    const PluginHost& self = *reinterpret_cast<const Outside*>(host)->inside;
    const LogField name{"name", self.name_}, text{"text", plugin_text(message ? message : "")};
    if (level == NFSTREAMD_LOG_DEBUG)
        self.logger_.debug("plugin", {name, text});
    else if (level == NFSTREAMD_LOG_INFO)
        self.logger_.info("plugin", {name, text});
    else if (level == NFSTREAMD_LOG_WARNING)
        self.logger_.warning("plugin", {name, text});
    else
        self.logger_.error("plugin", {name, text});
}

}  // namespace nfstreamd::exporters
