// What a package's declarations offer: the names, the files that they are in, and which of them have no comment.
import { dirname, relative } from 'node:path';
import ts from 'typescript';

/** @param {string} entry the declaration file that the package names */
export function publicSurface(entry) {
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: [], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  });
  const checker = program.getTypeChecker();
  const members = [];
  const undocumented = [];
  const hasComment = (node) => ts.getJSDocCommentsAndTags(node).some((doc) => ts.isJSDoc(doc) && ts.getTextOfJSDocComment(doc.comment));
  const see = (name, nodes) => {
    members.push(name);
    if (!nodes.some(hasComment)) undocumented.push(name);
  };
  const own = (file) => !file.includes('/node_modules/') && file.startsWith(dirname(entry));
  const isHidden = (node) => ts.isPrivateIdentifier(node.name ?? node)
    || (ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;

  const module = checker.getSymbolAtLocation(program.getSourceFile(entry));
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    see(exported.name, symbol.declarations.map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node)));
    if (!(symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias))) continue;
    for (const member of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))) {
      const nodes = (member.declarations ?? []).filter((node) => own(node.getSourceFile().fileName) && !isHidden(node));
      if (nodes.length > 0) see(`${exported.name}.${member.name}`, nodes);
    }
  }
  // The files that a compiler reads for it, without those of other packages.
  const files = program.getSourceFiles().map(({ fileName }) => fileName).filter(own).map((name) => relative(dirname(entry), name)).sort();
  return { members, files, undocumented };
}
