// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/enrichment_tables.hpp"

#include <tuple>
#include <utility>

#include "core/enrichment/address_form.hpp"
#include "core/enrichment/table_text.hpp"

namespace nfstreamd {
namespace {

constexpr const char* kAsn[] = {"autonomous_system_number", nullptr};
constexpr const char* kOrganization[] = {"autonomous_system_organization", nullptr};
constexpr const char* kCountry[] = {"country", "iso_code", nullptr};

std::uint64_t content_of(const EnrichmentOptions& options) {
    return options.tables ? options.tables->content() : 0;
}

}  // namespace

bool operator==(const EnrichmentOptions& a, const EnrichmentOptions& b) {
    return std::tie(a.asn, a.country, a.networks, a.mac_vendors, a.cache_size) ==
               std::tie(b.asn, b.country, b.networks, b.mac_vendors, b.cache_size) &&
           content_of(a) == content_of(b);
}

std::shared_ptr<const EnrichmentTables> EnrichmentTables::load(const EnrichmentOptions& options, Problems& problems) {
    if (!options.any()) return nullptr;
    const std::size_t before = problems.size();
    auto tables = std::make_shared<EnrichmentTables>();
    if (!options.asn.empty()) tables->asn_ = tables->load_mmdb("asn", options.asn, kAsn, problems);
    if (!options.country.empty()) tables->country_ = tables->load_mmdb("country", options.country, kCountry, problems);
    if (!options.networks.empty()) tables->load_networks(options.networks, problems);
    if (!options.mac_vendors.empty()) tables->load_vendors(options.mac_vendors, problems);
    return problems.size() == before ? tables : nullptr;
}

std::unique_ptr<const MmdbFile> EnrichmentTables::load_mmdb(const char* key, const std::string& path, MmdbPath expected,
                                                            Problems& problems) {
    auto file = MmdbFile::open(path, expected);
    if (!file) {
        problems.push_back({key, file.error()});
        return nullptr;
    }
    const MmdbFile& opened = *file.value();
    note({key, path, opened.type(), opened.build_epoch(), opened.nodes()}, opened.content_hash());
    return std::move(file.value());
}

void EnrichmentTables::load_networks(const std::string& path, Problems& problems) {
    const auto text = read_text(path);
    std::vector<Error> errors;
    if (!text)
        errors.push_back(text.error());
    else
        networks_ = PrefixTable::parse(text.value(), path, errors);
    for (Error& error : errors) problems.push_back({"networks", std::move(error)});
    if (networks_) note({"networks", path, "CSV", 0, networks_->size()}, content_hash(text.value()));
}

void EnrichmentTables::load_vendors(const std::vector<std::string>& paths, Problems& problems) {
    vendors_ = std::make_unique<OuiTable>();
    std::vector<Error> errors;
    for (const auto& path : paths) {
        const auto text = read_text(path);
        if (!text) {
            errors.push_back(text.error());
            continue;
        }
        const std::size_t before = vendors_->size();
        vendors_->parse(text.value(), path, errors);
        note({"mac_vendors", path, "vendors", 0, vendors_->size() - before}, content_hash(text.value()));
    }
    vendors_->build();
    for (Error& error : errors) problems.push_back({"mac_vendors", std::move(error)});
}

void EnrichmentTables::note(Description description, std::uint64_t content) {
    descriptions_.push_back(std::move(description));
    content_ = content_ * 31 + content;
}

EndpointRecord EnrichmentTables::describe(const IpAddress& given, bool& damaged) const noexcept {
    const IpAddress address = unmapped(given);
    EndpointRecord out;
    const auto find = [&](const MmdbFile* file, std::uint32_t& record) {
        const auto outcome = file == nullptr ? MmdbFile::Outcome::kNothing : file->find(address, record);
        damaged = damaged || outcome == MmdbFile::Outcome::kDamaged;
        return outcome == MmdbFile::Outcome::kRecord;
    };
    std::uint32_t record = 0;
    if (find(asn_.get(), record)) {
        out.asn = static_cast<std::uint32_t>(asn_->number(record, kAsn));
        out.as_organization = asn_->text(record, kOrganization);
    }
    if (find(country_.get(), record)) out.country = country_->text(record, kCountry);
    const PrefixTable::Entry* own = networks_ ? networks_->find(address) : nullptr;
    if (own == nullptr) return out;
    out.label = own->label;
    if (own->letters[0] != 0) out.country = own->country();
    if (own->asn != 0 && own->asn != out.asn) {
        out.asn = own->asn;
        out.as_organization = {};  // that of another one
    }
    return out;
}

}  // namespace nfstreamd
