public import CausalKernels
public struct Graph: Hashable, Sendable {
    public static let mostVariables = 65535
    public let count: Int
    init(count: Int) { self.count = count }
    public init(adjacency: UnsafeBufferPointer<UInt8>, count: Int, names: [String]?) throws(EngineError) { self.count = count }
    public func parents(of: Int) throws(EngineError) -> [Int] { [] }
    public func children(of: Int) throws(EngineError) -> [Int] { [] }
    public func ancestors(of: Int) throws(EngineError) -> [Int] { [] }
    public func descendants(of: Int) throws(EngineError) -> [Int] { [] }
    public func topologicalOrder() throws(EngineError) -> [Int] { [] }
    public func findCycle() -> [Int]? { nil }
    public func intervening(on: [Bool]) throws(EngineError) -> Graph { self }
    public func maskEdges<S: EngineScalar>(_ w: UnsafeBufferPointer<S>, mask: [Bool], into: UnsafeMutableBufferPointer<S>) throws(EngineError) {}
}
