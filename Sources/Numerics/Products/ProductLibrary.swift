import COneDNN

/// The version of oneDNN that the program runs with, such as "3.0.1".
package var productLibraryVersion: String {
  // A constant of the library, never freed.
  guard let version = dnnl_version()?.pointee else { return "unknown" }
  return "\(version.major).\(version.minor).\(version.patch)"
}
