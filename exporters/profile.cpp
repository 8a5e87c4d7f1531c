// SPDX-License-Identifier: Apache-2.0
#include "exporters/profile.hpp"

#include <algorithm>
#include <iterator>

namespace nfstreamd::exporters {
namespace {

using enum OptionsKind;
using Elements = ReadableElements;
using Id = ApplicationIdForm;
using Sampling = SamplingElements;

constexpr OptionsKinds kAll = OptionsKinds::all();
constexpr OptionsKinds kNoTypes = kAll.without({kTypes});

// biflow, elements, lists, free text, options, applicationId, options text, sampling
constexpr Profile kProfiles[] = {
    {"default", "any that follows RFC 7011", true, Elements::kAll, true, true, kAll, Id::kPanaL7Pen, 0,
     Sampling::kBoth},
    // writes any other reverse element over the forward one; loses its place in options that it does not know
    {"nfdump",
     "nfcapd 1.7",
     true,
     Elements::kCounterReverse,
     false,
     true,
     {kSampling, kApplications},
     Id::kUser4,
     24,
     Sampling::kLegacy},
    // forward counters alone; applications by id, names of fixed length
    {"pmacct", "nfacctd 1.7", false, Elements::kAll, false, true, kNoTypes, Id::kUser5, 24, Sampling::kBoth},
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
    // one unknown element, and the template is rejected
    {"logstash",
     "Logstash codec netflow",
     false,
     Elements::kCommon,
     false,
     false,
     {kSampling},
     Id::kUser4,
     32,
     Sampling::kLegacy},
    {"telegraf",
     "Telegraf input netflow",
     false,
     Elements::kCommon,
     false,
     false,
     {kSampling, kApplications},
     Id::kUser4,
     32,
     Sampling::kLegacy},
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

// Names by number; what stands in every collector's list.
constexpr std::uint16_t kCommon[] = {1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 27, 28, 32, 58, 61, 95, 136, 139, 152, 153};

bool is_reverse_counter(const IeId& ie) {
    return ie.pen == kReversePen && (ie.id == 1 || ie.id == 2);
}

bool is_readable(Elements elements, const IeId& ie) {
    switch (elements) {
        case Elements::kAll:
            return true;
        case Elements::kCounterReverse:
            return ie.pen == 0 || is_reverse_counter(ie);
        case Elements::kIana:
            return ie.pen == 0;
        case Elements::kCommon:
            return ie.pen == 0 && std::binary_search(std::begin(kCommon), std::end(kCommon), ie.id);
    }
    return true;
}

bool is_text(IeType type) {
    return type == IeType::kString;
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
