// SPDX-License-Identifier: Apache-2.0
// The only file of encode/ that sees OpenSSL.
#include "exporters/encode/anonymizer.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "core/record/template.hpp"
#include "exporters/encode/number_text.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kDigestSize = 64;

struct Free {
    void operator()(EVP_MAC* mac) const noexcept { ::EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const noexcept { ::EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, Free>;

Error failure(std::string_view what) {
    return {ErrorCode::kInternal, std::string("OpenSSL: ") + std::string(what), ""};
}

int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool read_digits(std::string_view text, Anonymizer::Key& key) {
    if (text.size() != 2 * key.size()) return false;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        key[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
}

// A reload makes exporters anew: the pseudonyms in a file that goes on must, too.
Result<Anonymizer::Key> random_key() {
    struct Random {
        Anonymizer::Key key{};
        bool good = ::RAND_priv_bytes(key.data(), static_cast<int>(key.size())) == 1;
    };
    static const Random kOfThisRun;
    if (!kOfThisRun.good) return failure("no random numbers");
    return kOfThisRun.key;
}

bool is_absent(const FieldValue& value) {
    const auto* address = std::get_if<IpAddress>(&value);
    return std::holds_alternative<std::monostate>(value) || (address && address->version == 0);
}

}  // namespace

struct Anonymizer::Mac {
    Context keyed;
};

Result<Anonymizer::Key> Anonymizer::make_key(std::string_view secret) {
    Key key{};
    if (secret.empty()) return random_key();
    if (read_digits(secret, key)) return key;
    if (secret.size() < kShortestSecret)
        return Error{ErrorCode::kInvalidArgument,
                     "is too short: give 128 hexadecimal digits, or 16 characters or more of any text", ""};
    unsigned size = 0;
    if (::EVP_Digest(secret.data(), secret.size(), key.data(), &size, ::EVP_blake2b512(), nullptr) != 1 ||
        size != key.size())
        return failure("no BLAKE2b");
    return key;
}

Anonymizer::Anonymizer(std::vector<std::string> columns, std::unique_ptr<Mac> mac)
    : columns_(std::move(columns)), mac_(std::move(mac)) {}

Anonymizer::~Anonymizer() = default;

Result<std::unique_ptr<Anonymizer>> Anonymizer::make(std::vector<std::string> columns, const Key& key) {
    const std::unique_ptr<EVP_MAC, Free> algorithm(::EVP_MAC_fetch(nullptr, "BLAKE2BMAC", nullptr));
    if (!algorithm) return failure("no BLAKE2BMAC");
    auto mac = std::make_unique<Mac>();
    mac->keyed.reset(::EVP_MAC_CTX_new(algorithm.get()));
    std::size_t size = kDigestSize;
    const OSSL_PARAM parameters[] = {::OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                     ::OSSL_PARAM_construct_end()};
    if (!mac->keyed || ::EVP_MAC_init(mac->keyed.get(), key.data(), key.size(), parameters) != 1)
        return failure("BLAKE2BMAC takes no key");
    return std::unique_ptr<Anonymizer>(new Anonymizer(std::move(columns), std::move(mac)));
}

// The same element under another name or in another form, as older generations
// of nfstream have it, would tell what is hidden.
std::vector<bool> Anonymizer::covered(std::span<const InformationElement* const> fields) const {
    const auto named = [this](const InformationElement& field) {
        return std::any_of(columns_.begin(), columns_.end(),
                           [&](const std::string& column) { return column == field.column || column == field.name; });
    };
    std::vector<std::string_view> elements;
    const auto note = [&](const InformationElement* field) {
        if (field && !field->name.empty() && named(*field)) elements.push_back(field->name);
    };
    for (const std::string& column : columns_) note(find_field(column));
    for (const InformationElement* field : fields) note(field);
    std::vector<bool> covered;
    for (const InformationElement* field : fields)
        covered.push_back(named(*field) || std::find(elements.begin(), elements.end(), field->name) != elements.end());
    return covered;
}

// From a copy of the context that has the key, so that this one stays as it is.
FieldValue Anonymizer::pseudonym(const FieldValue& value, Buffer& buffer) const {
    static constexpr char kHex[] = "0123456789abcdef";
    if (is_absent(value)) return {};
    std::string text;
    append_python_text(text, value);
    const Context context(::EVP_MAC_CTX_dup(mac_->keyed.get()));
    std::array<std::uint8_t, kDigestSize> digest;
    std::size_t size = 0;
    const bool done =
        context && ::EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size()) &&
        ::EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) && size == digest.size();
    if (!done) return {};  // out of memory: rather nothing than the value
    for (std::size_t i = 0; i < digest.size(); ++i) {
        buffer[2 * i] = kHex[digest[i] >> 4];
        buffer[2 * i + 1] = kHex[digest[i] & 15];
    }
    return std::string_view(buffer.data(), buffer.size());
}

}  // namespace nfstreamd::exporters
