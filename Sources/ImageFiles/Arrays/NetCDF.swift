/// The content of a netCDF-4 file: named groups of named arrays, with text about all of them.
package struct NetCDF: Sendable, Equatable {
  /// Elements in row-major order.
  package enum Values: Sendable, Equatable {
    case double([Double])
    case float([Float])
    case integer([Int64])
    /// 0 or 1 in a byte, with the attribute `dtype` = `bool`, by which xarray knows them.
    case flags([Bool])

    package var count: Int {
      switch self {
      case .double(let values): values.count
      case .float(let values): values.count
      case .integer(let values): values.count
      case .flags(let values): values.count
      }
    }
  }

  /// An axis. Its coordinates, 0, 1, 2 …, are a variable of its name.
  package struct Dimension: Sendable, Equatable, Hashable {
    package let name: String
    package let length: Int

    package init(_ name: String, _ length: Int) {
      self.name = name
      self.length = length
    }
  }

  package struct Variable: Sendable, Equatable {
    package let name: String
    package let dimensions: [Dimension]
    package let values: Values
    package let attributes: [Attribute]

    /// - Precondition: as many values as the dimensions ask for, at least one.
    package init(
      _ name: String, _ dimensions: [Dimension], _ values: Values, attributes: [Attribute] = []
    ) {
      precondition(
        values.count == dimensions.reduce(1) { $0 * $1.length } && values.count > 0,
        "\(name): \(values.count) values do not fill \(dimensions)")
      self.name = name
      self.dimensions = dimensions
      self.values = values
      self.attributes = attributes
    }
  }

  /// Text under a name.
  package struct Attribute: Sendable, Equatable {
    package let name: String
    package let text: String

    package init(_ name: String, _ text: String) {
      self.name = name
      self.text = text
    }
  }

  package struct Group: Sendable, Equatable {
    package let name: String
    package let attributes: [Attribute]
    package let variables: [Variable]

    /// - Precondition: names are distinct; dimensions of one name have one length.
    package init(_ name: String, attributes: [Attribute] = [], variables: [Variable]) {
      self.name = name
      self.attributes = attributes
      self.variables = variables
      let names = variables.map(\.name) + dimensions.map(\.name)
      precondition(Set(names).count == names.count, "a name occurs twice in \(names)")
    }

    /// Those of all variables, in the order in which they come up.
    package var dimensions: [Dimension] {
      var found: [Dimension] = []
      for dimension in variables.flatMap(\.dimensions) where !found.contains(dimension) {
        found.append(dimension)
      }
      return found
    }

    /// The variable of that name.
    package subscript(name: String) -> Variable? { variables.first { $0.name == name } }
  }

  package let attributes: [Attribute]
  package let groups: [Group]

  /// - Precondition: the groups' names are distinct.
  package init(attributes: [Attribute], groups: [Group]) {
    precondition(Set(groups.map(\.name)).count == groups.count, "a group occurs twice")
    self.attributes = attributes
    self.groups = groups
  }

  /// The group of that name.
  package subscript(name: String) -> Group? { groups.first { $0.name == name } }
}
