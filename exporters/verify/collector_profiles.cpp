// SPDX-License-Identifier: Apache-2.0
#include "exporters/verify/collector_profile.hpp"

#include <algorithm>

#include "exporters/verify/predicates.hpp"

namespace nfstreamd::exporters::verify {
namespace {

using F = FieldView;
using T = TemplateView;
using R = RecordView;
using enum Outcome;

bool any_field(const F&) {
    return true;
}
bool is_type_of_flow_time(const F& f, std::initializer_list<std::uint16_t> ids) {
    return !f.of.is_options && is_iana(f, ids);
}
bool carries_rate_of_wrong_length(const F& f) {
    return f.of.is_options && is_iana(f, {34, 50, 305}) && f.element().length != 4;
}
bool announces_spaces(const R& r) {  // not one packet of one: 305 packets of 305 + 306
    return r.of.is_options && value_of(r, 305) && value_of(r, 306).value_or(0) != 0;
}
bool is_interface_missing(const R& r) {
    return !r.of.is_options && value_of(r, 10).value_or(0) == 0 && value_of(r, 14).value_or(0) == 0;
}
bool is_rate_missing(const R& r) {
    return !r.of.is_options && r.version != 5 && !r.domain.announces_sampling && value_of(r, 34).value_or(0) == 0 &&
           value_of(r, 50).value_or(0) == 0 && value_of(r, 305).value_or(0) == 0;
}

// nfdump's file has room for these; the list is that of its translation table.
bool nfdump_stores(const F& f) {
    return is_iana(
        f, {1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,  16,  17,  18,  21,  22,  23,
            24,  27,  28,  29,  30,  32,  48,  55,  56,  57,  58,  59,  61,  62,  63,  70,  71,  72,  73,  74,  75,
            76,  77,  78,  79,  80,  81,  85,  86,  89,  95,  128, 129, 136, 138, 139, 149, 150, 151, 152, 153, 156,
            157, 158, 159, 160, 171, 172, 176, 177, 178, 179, 180, 181, 182, 183, 192, 197, 225, 226, 227, 228, 230,
            231, 232, 234, 235, 239, 243, 244, 245, 252, 253, 254, 255, 256, 281, 282, 298, 299, 323});
}
bool nfdump_options(const F& f) {
    return f.of.is_options && is_iana(f, {34, 35, 48, 49, 50, 94, 95, 96, 302, 304, 305, 306});
}

constexpr FieldRule kNfdumpFields[] = {
    {is_reverse_counter, kKept, {}},
    {[](const F& f) { return is_reverse(f) && f.element().id >= 85 && f.element().id <= 86; }, kKept, {}},
    {[](const F& f) { return is_reverse(f) && comes_after_forward(f); },
     kMisread,
     {"it is taken for the forward element, and written over its value",
      "profile: nfdump, or fields: without this one; reverse elements other than octets and packets may only stand "
      "before the forward ones",
      "[run] nfcapd 1.7.1; [source] 1.7.8"}},
    {is_reverse, kIgnored, {"the forward element, which follows, has the last word", "", "[run] nfcapd 1.7.1"}},
    {[](const F& f) {
         return f.version == 10 && is_type_of_flow_time(f, {21, 22});
     },
     kMisread,
     {"first and last are exchanged", "send milliseconds (152, 153)", "[source] nfdump 1.7.1"}},
    {[](const F& f) {
         return is_type_of_flow_time(f, {150, 151, 154, 155, 156, 157});
     },
     kLost,
     {"version 1.7.1 reads the times of flows in milliseconds only", "send milliseconds (152, 153)",
      "[source] nfdump 1.7.1"}},
    {[](const F& f) { return is_iana(f, {95}) && f.element().length != 4 && !f.of.is_options; },
     kMisread,
     {"it is stored as four octets, another length is garbled",
      "profile: nfdump (without it), or application_id: user4 from 1.7.8 on", "[run] nfcapd 1.7.1"}},
    {[](const F& f) { return f.version == 10 && is_iana(f, {95}) && !f.of.is_options; },
     kMisread,
     {"its octets are swapped in IPFIX, so that the name is not found; right in NetFlow v9 and from 1.7.8 on",
      "profile: nfdump (without it), type: netflow9, or a newer nfdump", "[run] nfcapd 1.7.1; [source] 1.7.8"}},
    {[](const F& f) {
         return f.of.is_options && is_iana(f, {94, 96}) && f.element().length == kVariable;
     },
     kLost,
     {"names of applications are read at a fixed length only", "profile: nfdump", "[run] nfcapd 1.7.1"}},
    {nfdump_options, kKept, {}},
    {[](const F& f) { return !f.of.is_options && nfdump_stores(f); }, kKept, {}},
    {is_enterprise, kIgnored, {"elements of this enterprise are skipped", "", "[run] nfcapd 1.7.1"}},
    {any_field, kIgnored, {"its files have no room for it", "", "[source] nfdump"}},
};
constexpr TemplateRule kNfdumpTemplates[] = {
    {[](const T& t) {
         if (t.of.is_options) return false;
         const DomainFacts nothing;
         for (std::size_t i = 0; i < t.of.fields.size(); ++i)
             if (nfdump_stores({t.version, t.of, i, nothing})) return false;
         return true;
     },
     kDropped,
     {"its template has no element that nfdump knows", "fields: with addresses, ports and counters",
      "[source] nfdump 1.7.1"}},
    {[](const T& t) {
         return t.of.is_options && !has_iana(t.of, {34, 50, 94, 95, 96, 302, 305});
     },
     kIgnored,
     {"options records that it does not know; each is counted as one sequence error, which is harmless", "",
      "[run] nfcapd 1.7.1"}},
};

bool pmacct_counts(const ipfix::ReadTemplate& of) {
    return has_iana(of, {1, 23, 85, 231, 232, 315, 352}) ||
           std::any_of(of.fields.begin(), of.fields.end(),
                       [](const auto& field) { return field.element.v9_type == 23; });
}
constexpr FieldRule kPmacctFields[] = {
    {[](const F& f) { return is_iana(f, {6}) && f.element().length != 1; },
     kMisread,
     {"it is read when it has one octet; otherwise tcp_flags is 0", "profile: pmacct (tcpControlBits of one octet)",
      "[run] nfacctd 1.7.7"}},
    {[](const F& f) {
         return f.of.is_options && is_iana(f, {94, 96}) && f.element().length == kVariable;
     },
     kMisread,
     {"the octet of length and what follows become part of the class", "profile: pmacct (names of fixed length)",
      "[run] nfacctd 1.7.7"}},
    {[](const F& f) {
         return is_iana(f, {82, 96, 372}) && f.element().length == kVariable;
     },
     kLost,
     {"IANA's texts of variable length stay \"\" below 384, also as custom primitives",
      "profile: pmacct (without it, class has the name by its number)", "[run] nfacctd 1.7.7"}},
    {[](const F& f) {
         const auto length = f.element().length;
         return is_iana(f, {95}) && (f.element().is_scope || !f.of.is_options) && length != 2 && length != 3 &&
                length != 5;
     },
     kLost,
     {"the class is unknown unless the id has 2, 3 or 5 octets", "profile: pmacct", "[run] nfacctd 1.7.7"}},
    {is_reverse_counter,
     kLost,
     {"reverse elements are ignored: the way back is missing in its counters", "biflow: false", "[run] nfacctd 1.7.7"}},
    {[](const F& f) { return f.version == 9 && is_out_counter(f); },
     kLost,
     {"the way back is missing in its counters", "biflow: false", "[run] nfacctd 1.7.7"}},
    {is_reverse, kIgnored, {"reverse elements are ignored", "", "[run] nfacctd 1.7.7"}},
    {[](const F& f) {
         return f.version == 9 && is_type_of_flow_time(f, {21, 22});
     },
     kMisread,
     {"times of NetFlow v9 are cut to seconds", "type: ipfix", "[run] nfacctd 1.7.7"}},
    {is_enterprise,
     kIgnored,
     {"readable by a custom primitive (aggregate_primitives: field_type=PEN:ID)", "", "[run] nfacctd 1.7.7"}},
    {is_list, kIgnored, {"lists are not read", "", "[source] pmacct 1.7.7"}},
};
constexpr TemplateRule kPmacctTemplates[] = {
    {[](const T& t) { return !t.of.is_options && !pmacct_counts(t.of); },
     kDropped,
     {"a template without octets is that of an event, not of a flow", "fields: with src2dst_ip_bytes",
      "[source] pmacct 1.7.7"}},
};

bool is_alien(const F& f) {  // libfixbuf's own model has IANA's elements and their reverse ones
    if (!is_enterprise(f)) return false;
    return f.domain.told == nullptr || !f.domain.told->find(f.element().pen, f.element().id);
}
constexpr FieldRule kFixbufFields[] = {
    {[](const F& f) { return is_alien(f) && f.element().length != 1 && f.element().length != kVariable; },
     kMisread,
     {"an element nobody told it about is raw octets, and if it is a number in the wrong byte order",
      "profile: fixbuf (types of elements by RFC 5610), sent before the templates", "[run] libfixbuf 2.4.1"}},
    {is_alien,
     kIgnored,
     {"an element nobody told it about has no name", "profile: fixbuf (types of elements by RFC 5610)",
      "[run] libfixbuf 2.4.1"}},
};
bool has_fixed_string(const T& t) {
    return std::any_of(t.of.fields.begin(), t.of.fields.end(), [](const ipfix::ReadField& field) {
        return field.type == ipfix::WireType::kString && field.element.length != kVariable;
    });
}
constexpr TemplateRule kFixbufTemplates[] = {
    {[](const T& t) { return t.version == 5; },
     kDropped,
     {"libfixbuf reads IPFIX and NetFlow v9, not v5", "type: ipfix", "[source] libfixbuf 2.4.1"}},
    {has_fixed_string,
     kDropped,
     {"a string of fixed length cannot become one of variable length: a reader that wants it stops at the record",
      "profile: fixbuf (strings of variable length)", "[run] libfixbuf 2.4.1"}},
};

constexpr FieldRule kAkvoradoFields[] = {
    {[](const F& f) {
         return is_iana(f, {85, 86});
     },
     kLost,
     {"it counts 1 and 2, 23 and 24, 231 and 232", "fields: with src2dst_ip_bytes and src2dst_packets",
      "[source] akvorado"}},
    {[](const F& f) {
         return is_type_of_flow_time(f, {156, 157});
     },
     kMisread,
     {"nanoseconds are computed oddly", "send milliseconds (152, 153)", "[source] akvorado"}},
    {[](const F& f) {
         return is_type_of_flow_time(f, {21, 22, 150, 151, 152, 153, 154, 155});
     },
     kIgnored,
     {"a flow's time is that of its arrival, unless the input's timestamp-source says otherwise", "",
      "[source] akvorado"}},
    {is_enterprise, kIgnored, {"elements of this enterprise are ignored", "", "[source] akvorado"}},
    {[](const F& f) {
         return is_iana(f, {94, 95, 96}) || is_list(f);
     },
     kIgnored,
     {"applications and lists have no column", "", "[source] akvorado"}},
};
constexpr RecordRule kAkvoradoRecords[] = {
    {[](const R& r) { return !r.of.is_options && r.domain.has_two_rates; },
     kMisread,
     {"selectorId is not looked for in the scope: one rate for each observation domain, the last one announced",
      "one exporter with an observation_domain for each capture", "[source] akvorado"}},
    {is_rate_missing,
     kDropped,
     {"sampling rate missing: nothing announced it before",
      "sampling_elements: both (also when every packet is metered)", "[source] akvorado"}},
    {is_interface_missing,
     kDropped,
     {"input and output interfaces missing: both are 0", "fields: with ingress_interface and egress_interface",
      "[source] akvorado"}},
};

constexpr FieldRule kGoflow2Fields[] = {
    {carries_rate_of_wrong_length,
     kMisread,
     {"a sampling rate is read when it has four octets", "sampling_elements: legacy", "[source] goflow2"}},
    {[](const F& f) {
         return f.of.is_options && is_iana(f, {34, 50, 302, 305});
     },
     kKept,
     {}},
    {[](const F& f) {
         return is_out_counter(f) && has_iana(f.of, {1, 2});
     },
     kMisread,
     {"23 and 24 overwrite the bytes and packets of 1 and 2", "biflow: false", "[source] goflow2"}},
    {is_reverse_counter,
     kLost,
     {"elements with an enterprise number are skipped: the way back is missing", "biflow: false", "[source] goflow2"}},
    {[](const F& f) { return is_reverse(f) || is_enterprise(f); },
     kIgnored,
     {"elements with an enterprise number are skipped, unless its mapping file names them", "", "[source] goflow2"}},
    {[](const F& f) {
         return is_iana(f, {85, 86}) && !has_iana(f.of, {1, 2});
     },
     kLost,
     {"total counters are ignored", "fields: with src2dst_ip_bytes and src2dst_packets", "[source] goflow2"}},
    {[](const F& f) {
         return !f.of.is_options && is_iana(f, {34, 50, 305});
     },
     kLost,
     {"a rate in the flow's record is not looked at, only that of options records", "sampling_elements: legacy",
      "[source] goflow2"}},
    {[](const F& f) {
         return is_list(f) || is_iana(f, {94, 95, 96, 239}) || f.of.is_options;
     },
     kIgnored,
     {"not built in; a mapping file may name it", "", "[source] goflow2"}},
};
constexpr RecordRule kGoflow2Records[] = {
    {announces_spaces,
     kMisread,
     {"305 is taken as the rate and 306 ignored", "sampling_elements: legacy", "[source] goflow2, its issue 440"}},
    {[](const R& r) { return !r.of.is_options && r.domain.has_two_rates; },
     kMisread,
     {"there is one rate for each observation domain, the last one announced", "one exporter for each capture",
      "[source] goflow2"}},
};

// The lifetime is of its default configuration.
constexpr FieldRule kIpfixcol2Fields[] = {
    {[](const F& f) { return is_enterprise(f) && f.field().key.starts_with('_'); },
     kIgnored,
     {"without a definition in libfds' XML files its name and type are unknown", "", "[source] ipfixcol2"}},
};

bool logstash_rejects(const F& f) {
    return is_enterprise(f) || (f.element().pen == 0 && f.field().key.starts_with('_'));
}
constexpr FieldRule kLogstashFields[] = {
    {[](const F& f) { return f.version == 10 && is_iana(f, {95}); },
     kMisread,
     {"applicationId is taken as text", "profile: logstash (without it), or type: netflow9",
      "[source] logstash-codec-netflow"}},
};
constexpr TemplateRule kLogstashTemplates[] = {
    {[](const T& t) {
         const DomainFacts nothing;
         for (std::size_t i = 0; i < t.of.fields.size(); ++i)
             if (logstash_rejects({t.version, t.of, i, nothing})) return true;
         return false;
     },
     kDropped,
     {"an element that its definitions do not have rejects the whole template",
      "profile: logstash (no private elements)", "[source] logstash-codec-netflow"}},
    {[](const T& t) { return t.version != 5 && has_duplicate(t.of); },  // version 5 has two paddings, and no template
     kDropped,
     {"an element that comes twice in a template is an exception", "profile: logstash",
      "[source] logstash-codec-netflow"}},
};

constexpr FieldRule kTelegrafFields[] = {
    {is_list, kIgnored, {"lists are not read", "", "[source] telegraf"}},
    {is_reverse_counter,
     kLost,
     {"reverse elements arrive as type_29305_N in hexadecimal, or in older versions over the forward ones",
      "biflow: false", "[source] telegraf"}},
    {[](const F& f) { return is_enterprise(f) || is_reverse(f); },
     kIgnored,
     {"a private element needs a row in a file of private_enterprise_number_files; versions without that setting take "
      "it for IANA's of its number",
      "profile: telegraf", "[source] telegraf"}},
    {is_options_field, kIgnored, {"options records are not applied to flows", "", "[source] telegraf"}},
};

constexpr FieldRule kNtopngFields[] = {
    {[](const F& f) {
         return is_iana(f, {94, 95, 96});
     },
     kIgnored,
     {"the application is L7_PROTO (ntop 118, NetFlow v9 57590), not these", "fields: with l7_protocol",
      "[source] nProbe's field list"}},
    {is_reverse_counter,
     kLost,
     {"the way back is read from 23 and 24", "type: netflow9, or biflow: false", "[source] nProbe's field list"}},
    {[](const F& f) { return is_reverse(f) || (is_enterprise(f) && f.element().pen != 35632) || is_list(f); },
     kIgnored,
     {"not among nProbe's fields", "", "[source] nProbe's field list"}},
};

constexpr CollectorProfile kProfiles[] = {
    {.name = "default", .title = "a collector that follows the RFCs", .fields = {}, .templates = {}, .records = {}},
    {.name = "nfdump",
     .title = "nfcapd of nfdump 1.7.1",
     .fields = kNfdumpFields,
     .templates = kNfdumpTemplates,
     .records = {}},
    {.name = "pmacct",
     .title = "nfacctd of pmacct 1.7.7",
     .fields = kPmacctFields,
     .templates = kPmacctTemplates,
     .records = {}},
    {.name = "fixbuf",
     .title = "libfixbuf 2.4.1 (YAF and SiLK tools, ipfixDump)",
     .fields = kFixbufFields,
     .templates = kFixbufTemplates,
     .records = {}},
    {.name = "akvorado", .title = "akvorado", .fields = kAkvoradoFields, .templates = {}, .records = kAkvoradoRecords},
    {.name = "goflow2", .title = "goflow2", .fields = kGoflow2Fields, .templates = {}, .records = kGoflow2Records},
    {.name = "ipfixcol2",
     .title = "ipfixcol2",
     .fields = kIpfixcol2Fields,
     .templates = {},
     .records = {},
     .template_lifetime_s = 1800,
     .lifetime_reason = {"templates are forgotten after 1800 s (templateLifeTime of its UDP input)",
                         "template_refresh: 10m or less", "[source] ipfixcol2"}},
    {.name = "logstash",
     .title = "logstash-codec-netflow",
     .fields = kLogstashFields,
     .templates = kLogstashTemplates,
     .records = {},
     .template_key = TemplateKey::kDomain,
     .template_lifetime_s = 4000,
     .refuses_padding = true,
     .key_reason = {"templates are told apart by observation domain and id, not by who sent them",
                    "observation_domain: another one for each exporter", "[source] logstash-codec-netflow"},
     .lifetime_reason = {"templates are forgotten after 4000 s (cache_ttl)", "template_refresh: 20m or less",
                         "[source] logstash-codec-netflow"},
     .padding_reason = {"padding is read as one more record, which fails", "profile: logstash",
                        "[source] logstash-codec-netflow"}},
    {.name = "telegraf",
     .title = "telegraf's input netflow",
     .fields = kTelegrafFields,
     .templates = {},
     .records = {}},
    {.name = "ntopng", .title = "ntopng through nProbe", .fields = kNtopngFields, .templates = {}, .records = {}},
};

}  // namespace

std::string_view name(Outcome outcome) noexcept {
    constexpr std::string_view kNames[] = {"kept", "ignored", "LOST", "MISREAD", "DROPPED"};
    return kNames[static_cast<std::size_t>(outcome)];
}

std::span<const CollectorProfile> collector_profiles() noexcept {
    return kProfiles;
}

const CollectorProfile* find_collector_profile(std::string_view name) noexcept {
    const auto* found = std::find_if(std::begin(kProfiles), std::end(kProfiles),
                                     [&](const CollectorProfile& profile) { return profile.name == name; });
    return found == std::end(kProfiles) ? nullptr : found;
}

}  // namespace nfstreamd::exporters::verify
