// SPDX-License-Identifier: Apache-2.0
#include "daemon/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

#include "config/table_text.hpp"
#include "config/tables.hpp"
#include "core/record/generation.hpp"
#include "daemon/command_line.hpp"
#include "daemon/ctl/command_line.hpp"
#include "exporters/profile.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::daemon {
namespace {

struct Program {
    std::string_view name;
    std::vector<OptionText> options;
    std::vector<ctl::CommandText> commands;
};

// What an option takes, by its placeholder.
enum class Offer { kNothing, kFiles, kWords, kSettings };

Offer offer(const OptionText& option) {
    const std::string_view what = option.placeholder;
    if (what == "KEY=VALUE") return Offer::kSettings;
    if (what == "FORMAT" || what == "SCHEMA" || what == "PROFILE") return Offer::kWords;
    const bool is_path = what == "FILE" || what == "PATH" || what == "FOLDER" || what.find('.') != what.npos;
    return is_path ? Offer::kFiles : Offer::kNothing;  // NEW.yaml, FILE...
}

std::string_view words_of(const OptionText& option) {
    if (option.placeholder == "FORMAT") return "csv json ipfix";
    if (option.placeholder == "SCHEMA") return kGenerationChoices;
    return exporters::kProfileSetting.choices;
}

// Keys of --set whose path does not depend on what the operator called things.
std::vector<std::string> setting_keys() {
    std::vector<std::string> keys;
    const auto append = [&](std::string_view prefix, std::span<const config::SettingSpec> settings) {
        for (const auto& setting : settings) keys.push_back(fmt::format("{}{}=", prefix, setting.name));
    };
    append("", config::top_settings());
    for (const auto& block : config::blocks())
        append(fmt::format("{}.", block.key), config::settings_of_block(block.key));
    std::set<std::string> written;  // of the exporter that -w makes
    for (const auto& schema : exporters::exporter_schemas()) {
        if (schema.type != "csv" && schema.type != "json" && schema.type != "ipfix") continue;
        for (const auto& setting : schema.settings)
            written.insert(fmt::format("exporters.{}.{}=", kWriteExporter, setting.name));
    }
    keys.insert(keys.end(), written.begin(), written.end());
    return keys;
}

// One line, without what a shell or a completion would take for its own.
std::string described(std::string_view help) {
    std::string out(help.substr(0, help.find("; ")));
    out = out.substr(0, out.find(";\n"));
    for (char& c : out)
        if (c == '\n') c = ' ';
    std::erase_if(out, [](char c) { return std::string_view("'\"[]`$\\:").find(c) != std::string_view::npos; });
    return out;
}

std::vector<std::string> spellings(const OptionText& option) {
    std::vector<std::string> out;
    if (option.short_name) out.push_back(fmt::format("-{}", option.short_name));
    out.push_back(fmt::format("--{}", option.long_name));
    return out;
}

bool takes_file(const ctl::CommandText& command) {
    return command.arguments.find("FILE") != command.arguments.npos;
}

std::string head(std::string_view comment) {
    return fmt::format(
        "{}# SPDX-License-Identifier: Apache-2.0\n# Printed from the tables in the code; a test compares.\n", comment);
}

std::string bash_option(const OptionText& option) {
    std::string out = fmt::format("        {})\n", fmt::join(spellings(option), " | "));
    const auto words = [&](std::string_view list) {
        return fmt::format("            mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$word\")\n", list);
    };
    switch (offer(option)) {
        case Offer::kFiles:
            out += "            compopt -o filenames\n";
            out += "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n";
            break;
        case Offer::kWords:
            out += words(words_of(option));
            break;
        case Offer::kSettings:
            out += "            compopt -o nospace\n" + words("$settings");
            break;
        case Offer::kNothing:
            break;
    }
    return out + "            return\n            ;;\n";
}

// Of an option that takes several values, all words up to the next option are.
std::string bash_several(const Program& program) {
    std::vector<std::string> names;
    for (const auto& option : program.options)
        if (option.value == OptionValue::kSeveral)
            for (const auto& name : spellings(option)) names.push_back(name);
    if (names.empty()) return "";
    return fmt::format(
        "    local at=$((COMP_CWORD - 1))\n"
        "    while ((at > 0)) && [[ ${{COMP_WORDS[at]}} != -?* ]]; do ((at--)); done\n"
        "    case ${{COMP_WORDS[at]}} in\n"
        "        {}) [[ $word == -* ]] || option=${{COMP_WORDS[at]}} ;;\n"
        "    esac\n",
        fmt::join(names, " | "));
}

std::string bash_commands(const Program& program) {
    if (program.commands.empty()) return "";
    std::vector<std::string_view> names, with_file;
    for (const auto& command : program.commands) {
        names.push_back(command.name);
        if (takes_file(command)) with_file.push_back(command.name);
    }
    std::string out = fmt::format(
        "    local command='' given\n"
        "    for given in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
        "        case $given in\n"
        "            {}) command=$given ;;\n"
        "        esac\n"
        "    done\n"
        "    [[ -n $command ]] || words+=\" {}\"\n",
        fmt::join(names, " | "), fmt::join(names, " "));
    if (!with_file.empty())
        out += fmt::format(
            "    case $command in\n"
            "        {})\n"
            "            if [[ $word != -* ]]; then\n"
            "                compopt -o filenames\n"
            "                mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
            "                return\n"
            "            fi\n"
            "            ;;\n"
            "    esac\n",
            fmt::join(with_file, " | "));
    return out;
}

std::string bash(const Program& program) {
    std::vector<std::string> names;
    std::string options;
    bool settings = false;
    for (const auto& option : program.options) {
        for (const auto& name : spellings(option)) names.push_back(name);
        if (option.value != OptionValue::kNone) options += bash_option(option);
        settings = settings || offer(option) == Offer::kSettings;
    }
    std::string out = head("") + "# shellcheck shell=bash\n";
    out += fmt::format("_{}() {{\n", program.name);
    if (settings) out += fmt::format("    local settings=\"\n        {}\"\n", fmt::join(setting_keys(), "\n        "));
    out +=
        "    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "    COMPREPLY=()\n"
        "    # bash takes the = of --option=value for a word of its own\n"
        "    if [[ $word == = ]]; then\n"
        "        word=\n"
        "    elif [[ $option == = ]]; then\n"
        "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "        [[ $option == -* ]] || return\n"
        "    fi\n";
    out += bash_several(program);
    out += "    case $option in\n" + options + "    esac\n";
    out += fmt::format("    local words=\"{}\"\n", fmt::join(names, " "));
    out += bash_commands(program);
    out += "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n";
    return out + fmt::format("complete -F _{0} {0}\n", program.name);
}

std::string zsh_value(const OptionText& option) {
    switch (offer(option)) {
        case Offer::kFiles:
            return ":file:_files";
        case Offer::kWords:
            return fmt::format(":word:({})", words_of(option));
        case Offer::kSettings:
            return ":setting:_nfstreamd_settings";
        case Offer::kNothing:
            break;
    }
    return ":value: ";
}

std::string zsh(const Program& program) {
    std::string out = head(fmt::format("#compdef {}\n", program.name));
    const bool settings = std::any_of(program.options.begin(), program.options.end(),
                                      [](const auto& option) { return offer(option) == Offer::kSettings; });
    if (settings)
        out += fmt::format("_nfstreamd_settings() {{\n    compadd -S '' --{}\n}}\n",
                           fmt::format("{}", fmt::join(setting_keys(), " ")).insert(0, " "));
    if (!program.commands.empty()) {
        out += fmt::format("_{}_commands() {{\n    local -a commands=(\n", program.name);
        for (const auto& command : program.commands)
            out += fmt::format("        '{}:{}'\n", command.name, described(command.help));
        out += "    )\n    _describe command commands\n}\n";
    }
    out += "_arguments -s -S \\\n";
    for (const auto& option : program.options) {
        const bool valued = option.value != OptionValue::kNone;
        const std::string_view repeated =
            offer(option) == Offer::kSettings || option.value == OptionValue::kSeveral ? "*" : "";
        const std::string rest =
            fmt::format("'[{}]{}'", described(option.help), valued ? zsh_value(option) : std::string());
        const std::string name = fmt::format("--{}{}", option.long_name, valued ? "=" : "");
        if (option.short_name)
            out +=
                fmt::format("    '{}'{{-{}{},{}}}{} \\\n", repeated, option.short_name, valued ? "+" : "", name, rest);
        else
            out += fmt::format("    '{}{}{} \\\n", repeated, name, rest.substr(1));
    }
    if (!program.commands.empty())
        return out + fmt::format("    '1:command:_{}_commands' '*:file:_files'\n", program.name);
    return out + "    '*:file:_files'\n";
}

std::string fish_value(const OptionText& option) {
    switch (offer(option)) {
        case Offer::kFiles:
            return " -r -F";
        case Offer::kWords:
            return fmt::format(" -x -a '{}'", words_of(option));
        case Offer::kSettings:
            return fmt::format(" -x -a '{}'", fmt::join(setting_keys(), " "));
        case Offer::kNothing:
            break;
    }
    return " -x";
}

std::string fish(const Program& program) {
    std::string out = head("") + fmt::format("complete -c {} -f\n", program.name);
    for (const auto& command : program.commands) {
        out += fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d '{}'\n", program.name, command.name,
                           described(command.help));
        if (takes_file(command))
            out += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}' -F\n", program.name, command.name);
    }
    for (const auto& option : program.options) {
        out += fmt::format("complete -c {}", program.name);
        if (option.short_name) out += fmt::format(" -s {}", option.short_name);
        out += fmt::format(" -l {}", option.long_name);
        if (option.value != OptionValue::kNone) out += fish_value(option);
        out += fmt::format(" -d '{}'\n", described(option.help));
    }
    return out;
}

}  // namespace

std::string completion(std::string_view page) {
    for (const Program& program : {Program{"nfstreamd", option_texts(), {}},
                                   Program{"nfstreamctl", ctl::option_texts(), ctl::command_texts()}}) {
        if (page == fmt::format("{}.bash", program.name)) return bash(program);
        if (page == fmt::format("_{}", program.name)) return zsh(program);
        if (page == fmt::format("{}.fish", program.name)) return fish(program);
    }
    return {};
}

}  // namespace nfstreamd::daemon
