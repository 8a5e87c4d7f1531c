// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/options_announcer.hpp"

#include <algorithm>
#include <cassert>

namespace nfstreamd::exporters {
namespace {

constexpr OptionsKinds kNames{OptionsKind::kInterfaces, OptionsKind::kApplications};

void append(MessageQueue& queue, const std::vector<OptionsMessage>& messages) {
    for (const OptionsMessage& message : messages) queue.append(message.bytes, {.data_records = message.data_records});
}

// Tables of hundreds of rows, a few messages at a time.
class NamePages final : public MessagePages {
public:
    NamePages(const OptionsWire& wire, TemplateIds ids, std::vector<OptionsTable> tables)
        : wire_(wire), ids_(ids), pager_(wire, std::move(ids), tables, false), tables_(std::move(tables)) {}

    bool turn(MessageQueue& queue, SessionTemplates& known, std::size_t most_messages) override {
        OptionsWriter templates(wire_, ids_);
        for (const OptionsTable& table : tables_)
            if (known.options.insert(ids_(table.tmpl)).second) templates.add_template(table.tmpl);
        append(queue, templates.take());
        append(queue, pager_.next(most_messages));
        return !pager_.done();
    }

private:
    const OptionsWire wire_;
    const TemplateIds ids_;
    OptionsPager pager_;  // of the rows
    const std::vector<OptionsTable> tables_;
};

}  // namespace

OptionsAnnouncer::OptionsAnnouncer(AnnouncedOptions options, ipfix::StableTemplateIds& ids)
    : options_(std::move(options)) {
    const auto add_id = [&](const OptionsTemplate& tmpl) {
        ids_.emplace_back(tmpl, ids.of_options(template_specifiers(tmpl, options_.profile.protocol)));
    };
    for (const OptionsTemplate& tmpl : options_templates(options_.profile)) add_id(tmpl);
    for (const OptionsTable& table : options_.more) add_id(table.tmpl);
}

std::uint64_t OptionsAnnouncer::version() const noexcept {
    return (options_.selectors ? options_.selectors->version() : 0) + (options_.facts ? options_.facts->version() : 0);
}

std::uint16_t OptionsAnnouncer::id_of(const OptionsTemplate& tmpl) const {
    const auto found = std::find_if(ids_.begin(), ids_.end(), [&](const auto& known) { return known.first == tmpl; });
    assert(found != ids_.end());
    return found->second;
}

OptionsWire OptionsAnnouncer::wire(std::size_t max_message) const {
    return {options_.profile.protocol, options_.profile.domain, max_message};
}

OptionsSources OptionsAnnouncer::sources() const {
    return {.elements = options_.elements, .templates = options_.templates, .facts = options_.facts.get()};
}

std::vector<OptionsTable> OptionsAnnouncer::tables(OptionsKinds kinds, bool periodic,
                                                   const OptionsSources& sources) const {
    OptionsProfile some = options_.profile;
    some.kinds = some.kinds.common(kinds);
    return options_tables(some, periodic, sources);
}

void OptionsAnnouncer::add(MessageQueue& queue, SessionTemplates& known,
                           const std::vector<OptionsTable>& tables) const {
    OptionsWriter writer(wire(queue.max_message()), [this](const auto& tmpl) { return id_of(tmpl); });
    for (const OptionsTable& table : tables)
        if (known.options.insert(id_of(table.tmpl)).second) writer.add_template(table.tmpl);
    for (const OptionsTable& table : tables)
        for (const OptionsRow& row : table.rows) static_cast<void>(writer.add_row(table.tmpl, row));
    append(queue, writer.take());
}

void OptionsAnnouncer::add_types(MessageQueue& queue, SessionTemplates& known) const {
    add(queue, known, type_tables(options_.profile, sources()));
}

void OptionsAnnouncer::add_short(MessageQueue& queue, SessionTemplates& known) const {
    OptionsSources all = sources();
    const auto selectors = options_.selectors ? options_.selectors->all() : std::vector<PacketSelector>();
    all.selectors = selectors;
    std::vector<OptionsTable> short_ones = tables(OptionsKinds::all().without(kNames), false, all);
    if (options_.profile.kinds != OptionsKinds())
        short_ones.insert(short_ones.end(), options_.more.begin(), options_.more.end());
    add(queue, known, short_ones);
}

void OptionsAnnouncer::repeat_templates(MessageQueue& queue, const SessionTemplates& known) const {
    OptionsWriter writer(wire(queue.max_message()), [this](const auto& tmpl) { return id_of(tmpl); });
    for (const auto& [tmpl, id] : ids_)
        if (known.options.contains(id)) writer.add_template(tmpl);
    append(queue, writer.take());
}

std::unique_ptr<MessagePages> OptionsAnnouncer::names(std::size_t max_message) const {
    auto names = tables(kNames, false, sources());
    if (names.empty()) return nullptr;
    return std::make_unique<NamePages>(
        wire(max_message), [this](const auto& tmpl) { return id_of(tmpl); }, std::move(names));
}

void OptionsAnnouncer::add_statistics(MessageQueue& queue, SessionTemplates& known, const SessionReport& report) const {
    OptionsSources all = sources();
    all.exporting = {options_.exporting_process, report.counters.octets.get(), report.counters.messages.get(),
                     report.flow_data_records, report.losses};
    add(queue, known, tables(OptionsKinds::all(), true, all));
}

}  // namespace nfstreamd::exporters
