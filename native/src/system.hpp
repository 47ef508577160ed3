// What operating systems do each in their own way, in one place: systemPosix.cpp and
// systemWindows.cpp. Some of what those two implement is declared in files.hpp and resources.hpp,
// where it belongs by its meaning.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace preflexor {

int processId();

/** Lets everything else on this machine go first. Does nothing where that is not allowed. */
void lowerPriority();

/** When the reader of stdout goes away, writing fails and the process goes on. */
void ignoreClosedOutput();

/** A new folder below the system's place for temporary ones. @throws TrainerError code "file" */
std::string makeTemporaryFolder();

/** The file of the running program; empty where the system does not tell. */
std::filesystem::path programFile();

/**
 * Loads a library for good; nullptr when it cannot be loaded (libraryProblem() says why).
 * @param shared its symbols serve the libraries that are loaded later, where a system asks for that
 */
void* openLibrary(const std::string& path, bool shared);
void* findSymbol(void* library, const char* name);
/** Why the last library could not be loaded. */
std::string libraryProblem();

/** What `readInput` gives when nothing came in time. */
constexpr int nothingYet = -1;

/**
 * Reads what is there on stdin, and waits for it at most so long.
 * @return bytes read, 0 at its end, or `nothingYet`
 */
int readInput(char* bytes, std::size_t size, int milliseconds);

}  // namespace preflexor
