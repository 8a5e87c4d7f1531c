// SPDX-License-Identifier: Apache-2.0
#include "exporters/plugin/plugin_exporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "core/plugin/plugin_text.hpp"
#include "exporters/plugin/plugin_batch.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 4s;  // by the contract of Exporter

std::string text_of(const nfstreamd_error& error) {
    const auto end = std::find(std::begin(error.text), std::end(error.text), '\0');
    return plugin_text({error.text, static_cast<std::size_t>(end - std::begin(error.text))});
}

}  // namespace

PluginExporter::PluginExporter(PluginOptions options, Logger& logger)
    : name_(std::move(options.name)),
      path_(std::move(options.path)),
      fields_(std::move(options.fields)),
      logger_(logger),
      host_(name_, std::move(options.settings), fields_, options.groups, options.private_enterprise_number, logger),
      patience_(kPatience) {}

// An instance that threw is in no state that is known: it is never called again,
// and what it may have left running keeps its code.
template <class Call>
PluginExporter::Answer PluginExporter::ask(const char* function, const Call& call) noexcept {
    nfstreamd_error error{};
    std::string what = "something";
    try {
        const int code = call(&error);
        return {code, text_of(error)};
    } catch (const std::exception& exception) {
        what = plugin_text(exception.what());
    } catch (...) {
    }
    created_ = false;
    instance_ = nullptr;
    if (library_) library_->keep();
    return {NFSTREAMD_UNAVAILABLE, fmt::format("{} threw {}", function, what), true};
}

Status PluginExporter::open() {
    open_ = false;
    counters_.up.set(0);
    if (Status status = load(); !status) return status;
    if (Status status = create(); !status) return status;
    const auto answer = ask("open", [&](auto* error) { return library_->plugin().open(instance_, error); });
    if (Status status = checked("open", answer); !status) return status;
    open_ = true;
    counters_.connects.add();
    counters_.up.set(1);
    return ok();
}

Status PluginExporter::load() {
    if (library_) return ok();
    auto loaded = PluginLibrary::load(path_);
    if (!loaded) {
        counters_.failures.add();
        return loaded.error();
    }
    library_ = std::move(loaded.value());
    const char* version = library_->plugin().version;
    logger_.info("plugin loaded",
                 {{"name", name_}, {"path", path_}, {"version", plugin_text(version ? version : "unknown")}});
    return ok();
}

Status PluginExporter::create() {
    if (created_) return ok();
    instance_ = nullptr;
    taken_ = 0;
    const auto answer =
        ask("create", [&](auto* error) { return library_->plugin().create(host_.host(), &instance_, error); });
    const Status status = checked("create", answer);
    created_ = status.has_value();
    return status;
}

Status PluginExporter::write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) {
    consumed = from;
    if (!open_) return not_open();
    const PluginBatch records(batch, fields_, patience_);
    const std::size_t size = batch.records.size();
    std::size_t taken = from;
    const auto answer = ask("write", [&](auto* error) {
        return library_->plugin().write(instance_, records.batch(), from, &taken, error);
    });
    if (answer.threw) return checked("write", answer);
    if (taken < from || taken > size)
        return distrust(fmt::format("write took records up to number {} of {} from number {} on", taken, size, from));
    consumed = taken;
    taken_ += taken - from;
    counters_.records.add(taken - from);
    counters_.data_records.add(taken - from);
    if (answer.code == NFSTREAMD_OK && taken < size)
        return distrust(fmt::format("write said ok but left {} of {} records", size - taken, size - from));
    return checked("write", answer);
}

Status PluginExporter::pause() {
    if (!open_) return not_open();
    if (!library_->plugin().pause) return ok();
    return checked("pause", ask("pause", [&](auto* error) { return library_->plugin().pause(instance_, error); }));
}

Status PluginExporter::flush() {
    if (!open_) return not_open();
    if (!library_->plugin().flush) return ok();
    return checked("flush", ask("flush", [&](auto* error) { return library_->plugin().flush(instance_, error); }));
}

void PluginExporter::close() noexcept {
    if (open_) static_cast<void>(flush());
    end_instance();
    library_.reset();
}

void PluginExporter::end_instance() noexcept {
    open_ = false;
    counters_.up.set(0);
    if (!std::exchange(created_, false)) return;
    std::size_t lost = 0;
    const auto answer = ask("close", [&](auto*) {
        lost = library_->plugin().close(instance_);
        return NFSTREAMD_OK;
    });
    if (answer.threw)
        logger_.error("plugin failed", {{"name", name_}, {"error", answer.text}});
    else
        count_lost(lost);
    instance_ = nullptr;
}

void PluginExporter::count_lost(std::size_t lost) noexcept {
    if (lost > taken_) {
        logger_.error("plugin lost more records than it took", {{"name", name_}, {"lost", lost}, {"taken", taken_}});
        lost = taken_;
    }
    counters_.records.set(counters_.records.get() - lost);
    counters_.data_records.set(counters_.data_records.get() - lost);
    counters_.dropped_failed.add(lost);
}

Status PluginExporter::checked(const char* function, const Answer& answer) {
    const std::string text = answer.text.empty() ? fmt::format("{} failed without a reason", function) : answer.text;
    switch (answer.code) {
        case NFSTREAMD_OK:
            return ok();
        case NFSTREAMD_BUSY:
            if (open_) return Error{ErrorCode::kBusy, fmt::format("{}: {}", description(), text), ""};
            return fail(ErrorCode::kUnavailable, text);
        case NFSTREAMD_UNAVAILABLE:
            return fail(ErrorCode::kUnavailable, text);
        case NFSTREAMD_INVALID:
            return fail(ErrorCode::kInvalidArgument, text);
        default:
            return distrust(fmt::format("{} gave {}, which is no code", function, answer.code));
    }
}

// It goes on with a fresh instance.
Status PluginExporter::distrust(const std::string& what) {
    end_instance();
    return fail(ErrorCode::kInternal, what);
}

Status PluginExporter::fail(ErrorCode code, const std::string& what) {
    open_ = false;
    counters_.failures.add();
    counters_.up.set(0);
    return Error{code, fmt::format("{}: {}", description(), what), ""};
}

Status PluginExporter::not_open() const {
    return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
}

}  // namespace nfstreamd::exporters
