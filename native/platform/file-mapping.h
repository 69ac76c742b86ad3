// Files in memory, read-only, that somebody else may cut or overwrite at any time. Reading a page that the file no longer
// has raises SIGBUS, which would end the process. For the mappings made here a handler puts zeros in place of the whole
// file and marks the mapping: the threads that read it go on to the end of the list, and whoever ran the list asks
// `wasCut` and throws the result away. A SIGBUS anywhere else goes to the handler that was there before.
#pragma once
#include "../core/base.h"

namespace latentkit {
namespace platform {

struct FileMapping;

// A file as it was when it was mapped. `modified`: nanoseconds since 1970.
struct FileVersion {
  char* address;
  i64 bytes;
  i64 modified;
};

// Null: `error` has the system's number, 0 for an empty file.
FileMapping* mapFile(const char* path, int* error);
void unmapFile(FileMapping* mapping);

FileVersion versionOf(const FileMapping* mapping);

// Some of the file was gone when it was read; zeros were read instead.
bool wasCut(const FileMapping* mapping);

// Whether the file on disk is another than the one that was mapped, by its size and its time of modification: one system
// call. True as well where `wasCut` is.
bool hasChanged(const FileMapping* mapping);

}  // namespace platform
}  // namespace latentkit
