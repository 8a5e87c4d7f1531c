// SPDX-License-Identifier: Apache-2.0
#include "exporters/profile.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nfstreamd::exporters {
namespace {

using enum OptionsKind;
using Elements = ReadableElements;
using Id = ApplicationIdForm;
using Sampling = SamplingElements;

constexpr OptionsKinds kAll = OptionsKinds::all();
constexpr OptionsKinds kNoTypes = kAll.without({kTypes});

// biflow, elements, lists, free text, options, applicationId, options text, sampling, columns left out
constexpr Profile kProfiles[] = {
    {"default", "any that follows RFC 7011", true, Elements::kAll, true, true, kAll, Id::kPanaL7Pen, 0,
     Sampling::kBoth},
    // writes any other reverse element over the forward one; loses its place in options that it does not know; 1.7.1,
    // Debian 12's, swaps the octets of applicationId, so that a wrong number is stored and no name found
    {"nfdump",
     "nfcapd 1.7",
     true,
     Elements::kCounterReverse,
     false,
     true,
     {kSampling},
     Id::kUser4,
     24,
     Sampling::kLegacy,
     "application_id"},
    // forward counters alone; applications by id, names of fixed length; IANA's texts below 384 stay empty
    {"pmacct", "nfacctd 1.7", false, Elements::kAll, false, true, kNoTypes, Id::kUser5, 24, Sampling::kBoth,
     "application_name application_category_name interface_name"},
    {"fixbuf", "libfixbuf 2: YAF's tools, SiLK, ipfixDump", true, Elements::kAll, true, true, kAll, Id::kPanaL7Pen, 0,
     Sampling::kBoth},
    // splits biflows; drops every flow without a sampling rate
    {"akvorado",
     "Akvorado",
     true,
     Elements::kAll,
     false,
     true,
     {kSampling, kInterfaces, kSystem},
     Id::kUser4,
     0,
     Sampling::kRfc5477},
    // takes samplingPacketInterval itself for the rate, reads 4 octets
    {"goflow2", "GoFlow2", false, Elements::kAll, false, true, {kSampling}, Id::kUser4, 0, Sampling::kLegacy},
    {"ipfixcol2", "ipfixcol2", true, Elements::kAll, true, true, kAll, Id::kPanaL7Pen, 0, Sampling::kBoth},
    // one unknown element, and the template is rejected; the octets of applicationId are text to it
    {"logstash",
     "Logstash codec netflow",
     false,
     Elements::kLogstash,
     false,
     false,
     {kSampling},
     Id::kUser4,
     32,
     Sampling::kLegacy,
     "application_id"},
    // older versions take private elements for IANA's of that number; what it has no name for arrives in hexadecimal
    {"telegraf",
     "Telegraf input netflow",
     false,
     Elements::kIana,
     false,
     true,
     {kSampling},
     Id::kUser4,
     32,
     Sampling::kLegacy,
     "application_id http_host user_agent content_type"},
    // through nProbe: applications by ntop's own element
    {"ntopng",
     "nProbe and ntopng",
     false,
     Elements::kAll,
     false,
     true,
     {kSampling, kSystem},
     Id::kUser4,
     32,
     Sampling::kLegacy},
};

// IANA's numbers in the codec's ipfix.yaml, from first to last.
constexpr std::pair<std::uint16_t, std::uint16_t> kLogstash[] = {{1, 64}, {70, 96}, {98, 104}, {128, 399}};

bool is_reverse_counter(const IeId& ie) {
    return ie.pen == kReversePen && (ie.id == 1 || ie.id == 2);
}

bool is_logstash(const IeId& ie) {
    return ie.pen == 0 && std::any_of(std::begin(kLogstash), std::end(kLogstash),
                                      [&](const auto& range) { return range.first <= ie.id && ie.id <= range.second; });
}

bool is_readable(Elements elements, const IeId& ie) {
    switch (elements) {
        case Elements::kAll:
            return true;
        case Elements::kCounterReverse:
            return ie.pen == 0 || is_reverse_counter(ie);
        case Elements::kIana:
            return ie.pen == 0;
        case Elements::kLogstash:
            return is_logstash(ie);
    }
    return true;
}

bool is_text(IeType type) {
    return type == IeType::kString || type == IeType::kAny;
}

bool is_left_out(const Profile& profile, std::string_view column) {
    std::string_view rest = profile.left_out;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        if (rest.substr(0, end) == column) return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

}  // namespace

std::span<const Profile> profiles() noexcept {
    return kProfiles;
}

const Profile& find_profile(std::string_view name) noexcept {
    const auto* found = std::find_if(std::begin(kProfiles), std::end(kProfiles),
                                     [&](const Profile& profile) { return profile.name == name; });
    return found == std::end(kProfiles) ? kProfiles[0] : *found;
}

FieldSelection readable_fields(const Profile& profile, const FieldSelection& fields, const FieldGroups& groups,
                               std::uint32_t private_enterprise_number) {
    FieldSelection readable;
    for (const InformationElement* field : fields) {
        if (is_list(field->type) && !profile.lists) continue;
        if (is_text(field->type) && !profile.free_text) continue;
        if (is_left_out(profile, field->column)) continue;
        const auto carried = [&](int ip_version) {
            const IeId ie = ipfix_element(*field, ip_version, groups, private_enterprise_number);
            return ie.id != 0 && (is_list(field->type) || is_readable(profile.elements, ie));
        };
        if (carried(4) || carried(6)) readable.push_back(field);
    }
    return readable;
}

OptionsProfile options_profile(const Profile& profile, const config::Settings& settings, const FieldGroups& groups) {
    OptionsProfile options;
    // what is not given is empty, which is no name
    options.sampling = sampling_elements(settings.string("sampling_elements")).value_or(profile.sampling);
    options.application_id = application_id_form(settings.string("application_id")).value_or(profile.application_id);
    options.kinds = options_kinds(settings.strings("options"), profile.options);
    if (!groups.application) options.kinds.remove(OptionsKind::kApplications);
    const std::int64_t text =
        settings.has_value("options_text") ? settings.integer("options_text") : profile.options_text;
    if (text > 0) {
        options.text_length = static_cast<std::uint16_t>(text);
        options.application_category = false;  // nfcapd knows it not, and loses its place
        options.names_alone = true;
    }
    return options;
}

}  // namespace nfstreamd::exporters
