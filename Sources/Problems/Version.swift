/// The version of the program and the library.
public enum PAEInvert {
  public static let version = "0.1.0"
}
