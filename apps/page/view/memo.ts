import { Component, type ComponentType, createElement } from 'preact'

/** A view that is drawn again only when a prop is another value. */
export function memo<P extends object>(view: ComponentType<P>): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return Object.entries(next).some(([name, value]) => value !== this.props[name as keyof P])
    }

    render() {
      return createElement(view, this.props)
    }
  }
}
